-- Takes the lease if it is free. Returns 1 if it is ours, else 0. Our own token counts as success: the client repeats
-- a call whose answer was lost, and that call had taken the lease.
-- KEYS: the lease. ARGV: token, time to live in ms.
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) or redis.call('GET', KEYS[1]) == ARGV[1] then return 1 end
return 0
