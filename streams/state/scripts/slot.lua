#!lua
-- The slots of a stack's workers, each leased to one of them: a hash, slot -> '<end of the lease, ms> <owner>'.
-- The clock is Redis's own, so that workers need not agree on the time.
--
-- KEYS: slots
-- ARGV: 1 owner
--       2 lease in ms, 0: give the slot back
--       3 slot, empty: the lowest that nobody holds
-- Reply: the slot, or -1 where somebody else has it.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local owner, lease, slot = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local function holder(number)
  local held = redis.call('HGET', KEYS[1], number)
  if not held then return nil, 0 end
  local ends, name = string.match(held, '^(%d+) (.+)$')
  return name, tonumber(ends)
end
if slot == '' then
  local number = 0
  while true do
    local name, ends = holder(number)
    if not name or ends <= now then break end
    number = number + 1
  end
  slot = number
elseif holder(slot) ~= owner then
  return -1
end
if lease > 0 then
  redis.call('HSET', KEYS[1], slot, string.format('%.0f', now + lease) .. ' ' .. owner)
else
  redis.call('HDEL', KEYS[1], slot)
end
return tonumber(slot)
