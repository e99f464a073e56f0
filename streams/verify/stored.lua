#!lua flags=no-writes
-- Reads states and timers of partition p at one moment.
-- KEYS: meta, timers, state 1..N  ARGV: the N members of timers
-- Reply: the meta hash, flat; N states or nil; N due times or nil.
local states, dues = {}, {}
if #KEYS > 2 then
  states = redis.call('MGET', unpack(KEYS, 3))
  dues = redis.call('ZMSCORE', KEYS[2], unpack(ARGV))
end
return {redis.call('HGETALL', KEYS[1]), states, dues}
