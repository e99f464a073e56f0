#!lua flags=allow-oom
-- (A full Redis must let this run: it frees memory.)
-- Drops the outbox entries that Kafka has, up to and with a seq, and remembers it.
-- KEYS: meta, out  ARGV: epoch, published seq
-- Reply: entries dropped, or -1 when another owner has the partition.
local stored = redis.call('HMGET', KEYS[1], 'epoch', 'trimmed')
if (stored[1] or '') ~= ARGV[1] then return -1 end
if tonumber(stored[2] or '0') >= tonumber(ARGV[2]) then return 0 end
redis.call('HSET', KEYS[1], 'trimmed', ARGV[2])
return redis.call('XTRIM', KEYS[2], 'MINID', string.format('%.0f', tonumber(ARGV[2]) + 1) .. '-0')
