-- Raises the factor after a successful call. A success during a pause was sent before it and does not count.
-- KEYS: pause, throttle. ARGV: now in s, full recovery in s, longest gap one success accounts for in s, time to live
-- of the state in ms, share of the refused rate reached quickly, seconds from there to the refused rate.
local factor = tonumber(redis.call('HGET', KEYS[2], 'factor'))
if not factor or redis.call('PTTL', KEYS[1]) > 0 then return end
local now, climb = tonumber(ARGV[1]), 1 / tonumber(ARGV[2])
local refused = tonumber(redis.call('HGET', KEYS[2], 'refused') or 1)
local near = refused * tonumber(ARGV[5])
local seconds = math.max(0, math.min(now - tonumber(redis.call('HGET', KEYS[2], 'climbed_at')), tonumber(ARGV[3])))
for _, part in ipairs({{near, climb}, {refused, (refused - near) / tonumber(ARGV[6])}, {2, climb}}) do
    local top, slope = part[1], part[2]
    local used = math.min(seconds, math.max(0, top - factor) / slope)
    factor, seconds = factor + used * slope, seconds - used
end
if factor >= 1 - 1e-9 then redis.call('DEL', KEYS[2]) return end
redis.call('HSET', KEYS[2], 'factor', tostring(factor), 'climbed_at', tostring(now), 'refusals', 0, 'fine', 1)
redis.call('PEXPIRE', KEYS[2], ARGV[4])
