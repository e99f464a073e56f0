#!lua flags=no-writes
-- Reads days of a partition's aggregates at one moment.
--
-- KEYS: meta  (keys of the days are named here: they have the same hash tag)
-- ARGV: 1 'sums' or ''   2 'all' sets, those that are 'named', or ''   3 N names, then the names,
--       then places as <shop>/<day>
-- Reply: the meta hash, flat; for each place the first day that is kept of its shop, its sums, flat, the names
--        of its sets, and values: members, or the bytes of a HyperLogLog, or nil, of the sets asked for; of
--        all, beside the names.
local base = string.sub(KEYS[1], 1, -#'meta' - 1)
local sums, sets, count = ARGV[1], ARGV[2], tonumber(ARGV[3])
local wanted = {}
for i = 1, count do wanted[i] = ARGV[3 + i] end
local function value(place, name)
  local key = base .. 'set:' .. place .. '/' .. name
  local kind = redis.call('TYPE', key).ok
  if kind == 'set' then return redis.call('SMEMBERS', key) end
  if kind == 'string' then return redis.call('GET', key) end
  return false
end
local days = {}
for i = 4 + count, #ARGV do
  local place = ARGV[i]
  local found = sums ~= '' and redis.call('HGETALL', base .. 'sums:' .. place) or {}
  local names, values = redis.call('SMEMBERS', base .. 'sets:' .. place), {}
  if sets ~= '' then
    for j, name in ipairs(sets == 'all' and names or wanted) do values[j] = value(place, name) end
  end
  local kept = redis.call('HGET', base .. 'kept', string.match(place, '^(.*)/')) or '0'
  days[#days + 1] = {kept, found, names, values}
end
return {redis.call('HGETALL', KEYS[1]), days}
