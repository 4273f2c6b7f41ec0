-- Takes the lease with a token that only grows: the time in microseconds. Returns the token, or "0" if it is held.
-- Removes the wake-up in either case: from then on a hook wakes the chain again. While hooks are moved to other
-- partitions, no chain gets a lease.
-- KEYS: lease, last token, takeover, wake-up, current batch, number of partitions. ARGV: time to live in ms, 1 for the
-- process that moves hooks.
redis.call('DEL', KEYS[4])
if ARGV[2] ~= '1' and redis.call('HEXISTS', KEYS[6], 'next') == 1 then return '0' end
local clock = redis.call('TIME')
local token = clock[1] * 1000000 + clock[2]
local last = tonumber(redis.call('GET', KEYS[2]) or '0')
if token <= last then token = last + 1 end
token = string.format('%.0f', token)
if not redis.call('SET', KEYS[1], token, 'NX', 'PX', ARGV[1]) then return '0' end
redis.call('SET', KEYS[2], token)
return token
