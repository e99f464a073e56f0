#!lua
-- One commit of partition p: all or nothing. With the shebang a full Redis (noeviction) refuses the
-- script before its first write, so nothing is ever half-written.
--
-- KEYS: meta, timers, out, kept, state 1..S, those of states that go 1..E, then those of the aggregates
-- ARGV: 1 seq  2 chain  3 epoch             what must be stored now (chain in hex)
--       4 new chain  5 codec                the new chain; the encoding these states are written in
--       6 S  7 T  8 M                       numbers of states, timers, meta fields
--       9 row  10 rows  11 vector           the outbox entry, empty row: none
--       12 aggregates  13 days  14 watermark  what is added; how many days are kept; ms
--       15 E                                number of states that go
--       then S states, T x (member, due or ''), M x (op, field, value), op '=' sets and '+' adds
-- Reply: earliest due time left in timers, or ''.
--@include aggregates
local stored = redis.call('HMGET', KEYS[1], 'seq', 'chain', 'epoch', 'codec_min', 'aggregated_from')
local seq, chain, epoch = stored[1] or '0', stored[2] or '', stored[3] or ''
if seq ~= ARGV[1] or chain ~= ARGV[2] or epoch ~= ARGV[3] then
  return redis.error_reply('REFUSED ' .. seq .. ' ' .. chain .. ' ' .. epoch)
end
if tonumber(stored[4] or '0') > tonumber(ARGV[5]) then
  return redis.error_reply('CODEC ' .. stored[4])
end
local states, timers, fields = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local expired = tonumber(ARGV[15])
-- Everything is checked before the first write: Redis does not roll back.
if not tonumber(ARGV[13]) or not tonumber(ARGV[14]) or not expired or #KEYS < 4 + states + expired
  or #ARGV ~= 15 + states + 2 * timers + 3 * fields then
  return redis.error_reply('MALFORMED keys ' .. #KEYS .. ' arguments ' .. #ARGV)
end
local at = 15 + states
for i = at + 2, at + 2 * timers, 2 do
  if ARGV[i] ~= '' and not tonumber(ARGV[i]) then return redis.error_reply('MALFORMED timer ' .. ARGV[i]) end
end
for i = at + 2 * timers + 1, #ARGV, 3 do
  if ARGV[i] ~= '=' and not (ARGV[i] == '+' and tonumber(ARGV[i + 2])) then
    return redis.error_reply('MALFORMED field ' .. ARGV[i + 1])
  end
end
local plans, wrong = plan_aggregates(4 + states + expired, ARGV[12], KEYS[4], tonumber(ARGV[13]))
if not plans then return redis.error_reply(wrong) end

local pairs_, n = {}, 0
for i = 1, states do
  pairs_[n + 1], pairs_[n + 2] = KEYS[4 + i], ARGV[15 + i]
  n = n + 2
  if n >= 2000 then
    redis.call('MSET', unpack(pairs_, 1, n))
    n = 0
  end
end
if n > 0 then redis.call('MSET', unpack(pairs_, 1, n)) end
for i = 4 + states + 1, 4 + states + expired do redis.call('UNLINK', KEYS[i]) end
for i = at + 1, at + 2 * timers, 2 do
  if ARGV[i + 1] == '' then
    redis.call('ZREM', KEYS[2], ARGV[i])
  else
    redis.call('ZADD', KEYS[2], ARGV[i + 1], ARGV[i])
  end
end
for i = at + 2 * timers + 1, #ARGV, 3 do
  if ARGV[i] == '=' then
    redis.call('HSET', KEYS[1], ARGV[i + 1], ARGV[i + 2])
  else
    redis.call('HINCRBY', KEYS[1], ARGV[i + 1], ARGV[i + 2])
  end
end
write_aggregates(KEYS[4], plans)
local next_seq = string.format('%.0f', tonumber(seq) + 1)
if ARGV[9] ~= '' then
  redis.call('XADD', KEYS[3], next_seq .. '-0', 'row', ARGV[9], 'rows', ARGV[10], 'vector', ARGV[11])
end
redis.call('HSET', KEYS[1], 'seq', next_seq, 'chain', ARGV[4], 'codec_min', ARGV[5])
if not stored[5] then
  redis.call('HSET', KEYS[1], 'aggregated_from', next_seq, 'aggregated_since', ARGV[14])
end
local first = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')
return first[2] or ''
