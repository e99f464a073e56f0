#!lua flags=no-writes
-- Reads days of a partition's aggregates at one moment.
--
-- KEYS: meta  (keys of the days are named here: they have the same hash tag)
-- ARGV: 1 'sums' or ''   2 'all' sets, those that are 'named', or ''   3 N names, then the names, one that
--       ends in a bar for all that begin so; then places as <shop>/<day>
-- Reply: the meta hash, flat; for each place the first day that is kept of its shop, its sums, flat, the names
--        of its sets, and beside them values: members, or the bytes of a HyperLogLog, nil where not asked for.
local base = string.sub(KEYS[1], 1, -#'meta' - 1)
local sums, sets, count = ARGV[1], ARGV[2], tonumber(ARGV[3])
local wanted, beginnings = {}, {}
for i = 4, 3 + count do
  if string.sub(ARGV[i], -1) == '|' then beginnings[#beginnings + 1] = ARGV[i] else wanted[ARGV[i]] = true end
end
local function fits(name)
  if sets == 'all' or wanted[name] then return true end
  for _, beginning in ipairs(beginnings) do
    if string.sub(name, 1, #beginning) == beginning then return true end
  end
  return false
end
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
    for j, name in ipairs(names) do values[j] = fits(name) and value(place, name) end
  end
  local kept = redis.call('HGET', base .. 'kept', string.match(place, '^(.*)/')) or '0'
  days[#days + 1] = {kept, found, names, values}
end
return {redis.call('HGETALL', KEYS[1]), days}
