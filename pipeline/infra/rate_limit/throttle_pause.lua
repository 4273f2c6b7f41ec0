-- Records a refusal: pauses the account and lowers its rate once. `refused` is the factor at which calls succeeded
-- before one was refused.
-- KEYS: pause, throttle. ARGV: requested pause in ms or -1, now in s, lowest factor, shortest pause in ms, longest
-- back-off in ms, time to live of the state in ms, share of the refused rate that counts as near it, small cut, large
-- cut.
local requested, now = tonumber(ARGV[1]), tonumber(ARGV[2])
local left = redis.call('PTTL', KEYS[1])
if left > 0 and redis.call('GET', KEYS[1]) ~= 'rest' then
    if requested > left then redis.call('PEXPIRE', KEYS[1], requested) end
    return
end
local factor = tonumber(redis.call('HGET', KEYS[2], 'factor') or 1)
local refused = tonumber(redis.call('HGET', KEYS[2], 'refused') or 0)
local length = requested
if requested < 0 then
    local refusals = redis.call('HINCRBY', KEYS[2], 'refusals', 1)
    length = math.min(tonumber(ARGV[5]), tonumber(ARGV[4]) * 2 ^ math.min(refusals - 1, 30))
end
length = math.max(length, tonumber(ARGV[4]), left)
local cut = requested >= 0 and factor >= refused * tonumber(ARGV[7]) and ARGV[8] or ARGV[9]
local lowered = math.max(tonumber(ARGV[3]), factor * tonumber(cut))
if refused == 0 or redis.call('HDEL', KEYS[2], 'fine') == 1 then
    redis.call('HSET', KEYS[2], 'refused', tostring(factor))
end
redis.call('HSET', KEYS[2], 'factor', tostring(lowered), 'climbed_at', tostring(now + length / 1000))
redis.call('PEXPIRE', KEYS[2], length + tonumber(ARGV[6]))
redis.call('SET', KEYS[1], 1, 'PX', length)
