-- What a commit adds to its partition's aggregates; part of the scripts that write commits.
--
-- KEYS from `first` on: of each place (a shop's day) the shop's days, its sums, the names of its sets, each
--   of its sets.
-- `packed`, msgpack: a list of places, each
--   [shop, day, fields, amounts, sets, cut], a set being [name, members, registers]: as numbers in text
--   its members, and a whole HyperLogLog in hexadecimal or ''.
-- The bounds are those of streams/domain/aggregated.py, which says what happens at each.
local EXACT_MEMBERS, MAX_FIELDS, MAX_SETS, MAX_SUM = 512, 4096, 256, 9007199254740991
-- Among the names of a place's sets: something was left out.
local CUT = '\0cut'
-- A command's arguments at a time.
local STEP = 1000

-- Dimensions of whose values there is always room; streams/domain/aggregates/names.py.
local CLOSED = {
  hour = true, source = true, channel = true, step = true, age = true, gender = true, campaign = true,
}

-- Whether there may be any number of names like this one.
local function is_open(name)
  local dimension = string.match(name, '^[^|]*|([^|]*)')
  return dimension ~= nil and not CLOSED[dimension]
end

local function in_steps(command, key, values)
  local changed = 0
  for from = 1, #values, STEP do
    changed = changed + redis.call(command, key, unpack(values, from, math.min(from + STEP - 1, #values)))
  end
  return changed
end

-- Reads only: the writes to be made, or nil and what is wrong. `kept`: hash, shop -> first day that is kept,
-- which is `kept_days` before the newest one that anything was added to.
local function plan_aggregates(first, packed, kept, kept_days)
  local plans = {places = {}, kept_from = {}, raised = {}}
  if packed == '' then
    if #KEYS ~= first then return nil, 'MALFORMED keys ' .. #KEYS end
    return plans
  end
  local ok, places = pcall(cmsgpack.unpack, packed)
  if not ok or type(places) ~= 'table' then return nil, 'MALFORMED aggregates' end
  local newest = plans.kept_from
  for _, place in ipairs(places) do
    local shop, day = place[1], place[2]
    if type(day) ~= 'number' then return nil, 'MALFORMED aggregates of ' .. shop end
    local from = newest[shop]
    if not from then
      local stored = redis.call('HGET', kept, shop)
      from = tonumber(stored or '0')
      if not stored then plans.raised[shop] = from end
    end
    if day - kept_days > from then
      from = day - kept_days
      plans.raised[shop] = from
    end
    newest[shop] = from
  end
  local at = first
  for _, place in ipairs(places) do
    local shop, day, fields, amounts, sets, cut = unpack(place)
    local name = shop .. '/' .. string.format('%.0f', day)
    if #fields ~= #amounts then return nil, 'MALFORMED aggregates of ' .. name end
    local plan = {
      shop = shop, day = day, days = KEYS[at + 1], sums = KEYS[at + 2], names = KEYS[at + 3],
      values = {}, sets = {}, cut = cut
    }
    if day >= newest[shop] then
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
            fits = size < MAX_FIELDS or not is_open(fields[i])
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
        local key = KEYS[at + 3 + i]
        local kind = key and redis.call('TYPE', key).ok
        if kind == 'none' then
          held = held or redis.call('SCARD', plan.names) - redis.call('SISMEMBER', plan.names, CUT)
          if held < MAX_SETS or not is_open(set[1]) then held = held + 1 else kind, plan.cut = nil, true end
        elseif set[3] ~= '' or not (
          kind == 'set' or kind == 'string' and redis.call('GETRANGE', key, 0, 3) == 'HYLL'
        ) then
          return nil, 'MALFORMED set ' .. name .. '/' .. set[1]
        end
        if kind then plan.sets[#plan.sets + 1] = {key, kind, set} end
      end
      plans.places[#plans.places + 1] = plan
    end
    at = at + 3 + #sets
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

-- Drops days of a shop that are no longer kept. Their keys have the same hash tag.
local function sweep(base, shop, kept_from)
  local days = base .. 'days:' .. shop
  local before = '(' .. string.format('%.0f', kept_from)
  local old = redis.call('ZRANGEBYSCORE', days, '-inf', before)
  for _, day in ipairs(old) do
    local name = shop .. '/' .. day
    local gone = {base .. 'sums:' .. name, base .. 'sets:' .. name}
    for _, set in ipairs(redis.call('SMEMBERS', gone[2])) do
      gone[#gone + 1] = base .. 'set:' .. name .. '/' .. set
    end
    redis.call('UNLINK', unpack(gone))
  end
  if #old > 0 then redis.call('ZREMRANGEBYSCORE', days, '-inf', before) end
end

local function write_aggregates(kept, plans)
  for _, plan in ipairs(plans.places) do
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
    if plan.new then
      local day = string.format('%.0f', plan.day)
      redis.call('ZADD', plan.days, day, day)
    end
  end
  local base = string.sub(kept, 1, -#'kept' - 1)
  for shop, kept_from in pairs(plans.raised) do
    redis.call('HSET', kept, shop, string.format('%.0f', kept_from))
    sweep(base, shop, kept_from)
  end
end

