-- Gives the lease back if it is still ours. The last token is incremented, so that a released lease cannot be renewed.
-- KEYS: lease, last token, takeover, wake-up, current batch, number of partitions. ARGV: token.
if redis.call('GET', KEYS[2]) == ARGV[1] then redis.call('INCR', KEYS[2]) end
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
if redis.call('HGET', KEYS[5], 'token') == ARGV[1] then redis.call('DEL', KEYS[5]) end
