#!lua
-- Several commits of partition p folded into one write: all or nothing, as commit.lua, and nothing to send.
--
-- KEYS: meta, timers, kept, state 1..S, those of states that go 1..E, then those of the aggregates
-- ARGV: 1 seq  2 chain  3 epoch       what must be stored now (chain in hex, '' before the first commit)
--       4 new seq  5 new chain  6 codec
--       7 S  8 T                      numbers of states and timers
--       9 aggregates  10 days  11 watermark  as commit.lua; the watermark of the first commit, ms
--       12 E                          number of states that go
--       then S states, T x (member, due or ''), and fields of meta with their values
--@include aggregates
local stored = redis.call('HMGET', KEYS[1], 'seq', 'chain', 'epoch', 'aggregated_from')
local seq, chain, epoch = stored[1] or '0', stored[2] or '', stored[3] or ''
if seq ~= ARGV[1] or chain ~= ARGV[2] or epoch ~= ARGV[3] then
  return redis.error_reply('REFUSED ' .. seq .. ' ' .. chain .. ' ' .. epoch)
end
local states, timers = tonumber(ARGV[7]), tonumber(ARGV[8])
local expired = tonumber(ARGV[12])
local plans, wrong = plan_aggregates(3 + states + expired, ARGV[9], KEYS[3], tonumber(ARGV[10]))
if not plans then return redis.error_reply(wrong) end
local pairs_, n = {}, 0
for i = 1, states do
  pairs_[n + 1], pairs_[n + 2] = KEYS[3 + i], ARGV[12 + i]
  n = n + 2
  if n >= 2000 then
    redis.call('MSET', unpack(pairs_, 1, n))
    n = 0
  end
end
if n > 0 then redis.call('MSET', unpack(pairs_, 1, n)) end
for i = 3 + states + 1, 3 + states + expired do redis.call('UNLINK', KEYS[i]) end
local at = 12 + states
for i = at + 1, at + 2 * timers, 2 do
  if ARGV[i + 1] == '' then
    redis.call('ZREM', KEYS[2], ARGV[i])
  else
    redis.call('ZADD', KEYS[2], ARGV[i + 1], ARGV[i])
  end
end
for i = at + 2 * timers + 1, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
write_aggregates(KEYS[3], plans)
redis.call('HSET', KEYS[1], 'seq', ARGV[4], 'chain', ARGV[5], 'codec_min', ARGV[6])
if not stored[4] then
  redis.call('HSET', KEYS[1], 'aggregated_from', string.format('%.0f', tonumber(seq) + 1),
    'aggregated_since', ARGV[11])
end
return 1
