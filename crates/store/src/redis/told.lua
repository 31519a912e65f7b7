-- What a gateway tells of the budgets that it shares with others, and what it is answered: all of it at once, since Redis
-- runs one script at a time. It is `tidegate_model::lease::Ledger`, and a test holds the two against each other.
--
-- KEYS  1  hash of gateways: run -> "number millisecond" of its last word
--       2  the millisecond since which gateways tell what they hold
--       3… one hash for each ask: run -> "granted used is_short"; of what slides also "owed" -> "nanoseconds microsecond"
-- ARGV  1 run  2 number  3 last number that was answered  4 "1": it ends  5 SETTLE  6 PRESENT  7 REMEMBERED, in milliseconds
--       8… eight for each ask: "c" or "s", hold, wish, used, and
--          by the calendar: amount, milliseconds to keep it, "", ""
--          sliding: nanoseconds of a unit, nanoseconds that may be owed, units owed, "1": is fresh
-- Answers is_stale, has_lost, is_settling, gateways, and five for each ask: granted, left, unused, is_wanted, wait_millis.
--
-- Numbers stay below 2^53, where Lua's are whole. Time is that of Redis, the same for all.

local now = redis.call('TIME')
local micros = now[1] * 1000000 + now[2]
local millis = math.floor(micros / 1000)
local run, number, answered = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local settle, present, remembered = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])

local function whole(value)
  return string.format('%.0f', value)
end

local function gateways()
  local there = 0
  local all = redis.call('HGETALL', KEYS[1])
  for i = 1, #all, 2 do
    local age = millis - tonumber(string.match(all[i + 1], ' (%d+)$'))
    if age < present then
      there = there + 1
    elseif age >= remembered then
      redis.call('HDEL', KEYS[1], all[i])
    end
  end
  return there
end

local known = redis.call('HGET', KEYS[1], run)
known = known and tonumber(string.match(known, '^%d+')) or 0
if known >= number then
  return { 1, 0, 0, gateways() }
end

local has_lost = known < answered
local since = tonumber(redis.call('GET', KEYS[2]) or '-1')
local function settles(from)
  return from >= 0 and millis >= from and millis - from < settle
end
if since < 0 or (has_lost and not settles(since)) then
  since = millis
  redis.call('SET', KEYS[2], whole(since))
end
local is_settling = settles(since)

if ARGV[4] == '1' then
  redis.call('HDEL', KEYS[1], run)
else
  redis.call('HSET', KEYS[1], run, whole(number) .. ' ' .. whole(millis))
end

local heard = { 0, has_lost and 1 or 0, is_settling and 1 or 0, gateways() }

local function answer(key, at)
  local slides = ARGV[at] == 's'
  local hold, wish, used = tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
  local before, owed, owed_at = nil, 0, 0
  local others, used_by_others, sharers, is_wanted = 0, 0, 1, 0
  local all = redis.call('HGETALL', key)
  for i = 1, #all, 2 do
    if all[i] == 'owed' then
      local nanos, since = string.match(all[i + 1], '^(%d+) (%d+)$')
      owed, owed_at = tonumber(nanos), tonumber(since)
    else
      local granted, used_of, is_short = string.match(all[i + 1], '^(%d+) (%d+) (%d)$')
      if all[i] == run then
        before = tonumber(granted)
      else
        others = others + tonumber(granted)
        used_by_others = used_by_others + tonumber(used_of)
        sharers = sharers + 1
        if is_short == '1' then is_wanted = 1 end
      end
    end
  end

  local pool, keep, one, owed_max
  if slides then
    one, owed_max = tonumber(ARGV[at + 4]), tonumber(ARGV[at + 5])
    owed = math.max(0, owed - math.max(0, micros - owed_at) * 1000)
    if before == nil or ARGV[at + 7] == '1' then
      owed = owed + (math.max(0, hold - used) + tonumber(ARGV[at + 6])) * one
    else
      owed = math.max(0, owed + (hold - before) * one)
    end
    pool = math.floor(math.max(0, owed_max - owed) / one)
  else
    pool = math.max(0, tonumber(ARGV[at + 4]) - others - hold)
    keep = tonumber(ARGV[at + 5])
  end

  local slice = 0
  if not is_settling then
    slice = math.min(math.max(1, math.floor(pool / (2 * sharers))), pool, wish - hold)
  end
  local granted, left, wait = hold + slice, pool - slice, 0
  if slides then
    owed = owed + slice * one
    if left == 0 then
      wait = math.ceil(math.max(0, owed + one - owed_max) / 1000000)
    end
    redis.call('HSET', key, 'owed', whole(owed) .. ' ' .. whole(micros))
    keep = math.ceil(owed / 1000000) + 60000
  end
  if granted == 0 and wish == 0 and not slides then
    redis.call('HDEL', key, run)
  else
    local is_short = (slice == 0 and wish > hold) and '1' or '0'
    redis.call('HSET', key, run, whole(granted) .. ' ' .. whole(math.min(used, granted)) .. ' ' .. is_short)
    redis.call('PEXPIRE', key, whole(keep))
  end
  for _, value in ipairs({ granted, left, others - used_by_others, is_wanted, wait }) do
    heard[#heard + 1] = value
  end
end

for i = 3, #KEYS do
  answer(KEYS[i], 8 + (i - 3) * 8)
end
return heard
