-- Gives the lease back. Returns 1 if it was still ours, else 0.
-- KEYS: the lease. ARGV: token, time to live in ms (unused).
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
