-- What a commit adds to its partition's aggregates; part of the scripts that write commits.
--
-- KEYS from `first` on: of each place (a shop's day) its sums, the names of its sets, each of its sets.
-- `packed`, msgpack: a list of places, each
--   [shop/day, day, fields, amounts, sets], a set being [name, members, registers]: as numbers in text
--   its members, and a whole HyperLogLog in hexadecimal or ''.
-- The bounds are those of streams/domain/aggregated.py, which says what happens at each.
local EXACT_MEMBERS, MAX_FIELDS, MAX_SETS, MAX_SUM = 512, 4096, 256, 9007199254740991
-- Among the names of a place's sets: something was left out.
local CUT = '\0cut'
-- A command's arguments at a time.
local STEP = 1000
-- Places that one commit drops.
local SWEPT = 50

local function in_steps(command, key, values)
  local changed = 0
  for from = 1, #values, STEP do
    changed = changed + redis.call(command, key, unpack(values, from, math.min(from + STEP - 1, #values)))
  end
  return changed
end

-- Reads only: the writes to be made, or nil and what is wrong.
local function plan_aggregates(first, packed, kept_from)
  local plans = {}
  if packed == '' then
    if #KEYS ~= first then return nil, 'MALFORMED keys ' .. #KEYS end
    return plans
  end
  local ok, places = pcall(cmsgpack.unpack, packed)
  if not ok or type(places) ~= 'table' then return nil, 'MALFORMED aggregates' end
  local at = first
  for _, place in ipairs(places) do
    local name, day, fields, amounts, sets = unpack(place)
    if type(day) ~= 'number' or #fields ~= #amounts then return nil, 'MALFORMED aggregates of ' .. name end
    local plan = {name = name, day = day, sums = KEYS[at + 1], names = KEYS[at + 2], values = {}, sets = {}}
    if day >= kept_from then
      local values, size = plan.values, nil
      for from = 1, #fields, STEP do
        local upto = math.min(from + STEP - 1, #fields)
        local stored = redis.call('HMGET', plan.sums, unpack(fields, from, upto))
        for i = from, upto do
          local before, amount = stored[i - from + 1], amounts[i]
          local sum = tonumber(before or '0')
          if not sum or type(amount) ~= 'number' then return nil, 'MALFORMED sum of ' .. name end
          sum = sum + amount
          local fits = math.abs(sum) <= MAX_SUM and math.abs(amount) <= MAX_SUM
          if fits and not before then
            size = size or redis.call('HLEN', plan.sums)
            fits = size < MAX_FIELDS
            if fits then size, plan.new = size + 1, true end
          end
          if fits then
            values[#values + 1] = fields[i]
            values[#values + 1] = string.format('%.0f', sum)
          else
            plan.cut = true
          end
        end
      end
      local held
      for i, set in ipairs(sets) do
        local key = KEYS[at + 2 + i]
        local kind = key and redis.call('TYPE', key).ok
        if kind == 'none' then
          held = held or redis.call('SCARD', plan.names) - redis.call('SISMEMBER', plan.names, CUT)
          if held < MAX_SETS then held = held + 1 else kind, plan.cut = nil, true end
        elseif set[3] ~= '' or not (
          kind == 'set' or kind == 'string' and redis.call('GETRANGE', key, 0, 3) == 'HYLL'
        ) then
          return nil, 'MALFORMED set ' .. name .. '/' .. set[1]
        end
        if kind then plan.sets[#plan.sets + 1] = {key, kind, set} end
      end
      plans[#plans + 1] = plan
    end
    at = at + 2 + #sets
  end
  if at ~= #KEYS then return nil, 'MALFORMED keys ' .. #KEYS end
  return plans
end

local function write_set(key, kind, members)
  if kind == 'string' then
    in_steps('PFADD', key, members)
  elseif in_steps('SADD', key, members) > 0 and redis.call('SCARD', key) > EXACT_MEMBERS then
    local all = redis.call('SMEMBERS', key)
    redis.call('DEL', key)
    in_steps('PFADD', key, all)
  end
end

-- Drops days that are no longer kept, some at a time.
local function sweep(days, kept_from)
  local old = redis.call('ZRANGEBYSCORE', days, '-inf', '(' .. string.format('%.0f', kept_from), 'LIMIT', 0, SWEPT)
  if #old == 0 then return end
  local base = string.sub(days, 1, -#'days' - 1)
  for _, name in ipairs(old) do
    local gone = {base .. 'sums:' .. name, base .. 'sets:' .. name}
    for _, set in ipairs(redis.call('SMEMBERS', gone[2])) do
      gone[#gone + 1] = base .. 'set:' .. name .. '/' .. set
    end
    redis.call('UNLINK', unpack(gone))
  end
  redis.call('ZREM', days, unpack(old))
end

local function write_aggregates(days, plans, kept_from)
  for _, plan in ipairs(plans) do
    local values = plan.values
    for from = 1, #values, STEP do
      redis.call('HSET', plan.sums, unpack(values, from, math.min(from + STEP - 1, #values)))
    end
    for _, planned in ipairs(plan.sets) do
      local key, kind, set = unpack(planned)
      if kind == 'none' then
        plan.new = true
        redis.call('SADD', plan.names, set[1])
        if set[3] ~= '' then
          redis.call('SET', key, (string.gsub(set[3], '%x%x', function(two) return string.char(tonumber(two, 16)) end)))
          kind = 'string'
        end
      end
      write_set(key, kind, set[2])
    end
    if plan.cut then
      plan.new = true
      redis.call('SADD', plan.names, CUT)
    end
    if plan.new then redis.call('ZADD', days, string.format('%.0f', plan.day), plan.name) end
  end
  sweep(days, kept_from)
end

