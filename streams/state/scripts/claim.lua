#!lua flags=allow-oom
-- (A full Redis must let this run: only an owner can publish and so free memory.)
-- Takes partition p for (generation, member): a greater generation, or exactly the same pair again.
-- KEYS: meta  ARGV: generation, member
-- Reply: the meta hash, flat.
local stored = redis.call('HMGET', KEYS[1], 'epoch', 'member')
if stored[1] then
  local held, wanted = tonumber(stored[1]), tonumber(ARGV[1])
  if held > wanted or (held == wanted and stored[2] ~= ARGV[2]) then
    return redis.error_reply('HELD ' .. stored[1] .. ' ' .. (stored[2] or ''))
  end
end
redis.call('HSET', KEYS[1], 'epoch', ARGV[1], 'member', ARGV[2])
return redis.call('HGETALL', KEYS[1])
