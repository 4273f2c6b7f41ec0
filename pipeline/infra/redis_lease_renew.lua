-- Restarts the lease's time to live. Returns 1 if it is still ours, else 0.
-- KEYS: the lease. ARGV: token, time to live in ms.
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 0
