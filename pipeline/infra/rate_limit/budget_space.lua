-- Spaces calls evenly by the server's clock. Returns the seconds to wait; "0" if the call may be made now.
-- KEYS: when the next call is due (s). ARGV: seconds from one call to the next, seconds a late call may catch up.
local clock = redis.call('TIME')
local now, interval, catch_up = clock[1] + clock[2] / 1000000, tonumber(ARGV[1]), tonumber(ARGV[2])
local due = tonumber(redis.call('GET', KEYS[1]) or 0)
if due > now then return tostring(due - now) end
local next_due = math.max(due, now - catch_up) + interval
redis.call('SET', KEYS[1], string.format('%.6f', next_due), 'PX', math.ceil((next_due - now + catch_up) * 1000))
return '0'
