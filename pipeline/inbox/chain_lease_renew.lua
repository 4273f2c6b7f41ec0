-- Restarts the lease's time to live, also if it ran out and no other holder has had it since. Returns 1 if it is ours.
-- KEYS: lease, last token, takeover, wake-up, current batch, number of partitions. ARGV: time to live in ms,
-- token, 1 while a task works on the batch or 0 while the batch waits for its next task.
local holder = redis.call('GET', KEYS[1])
if holder ~= ARGV[2] and (holder or redis.call('GET', KEYS[2]) ~= ARGV[2]) then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[1])
if redis.call('HGET', KEYS[5], 'token') == ARGV[2] then redis.call('HSET', KEYS[5], 'at_work', ARGV[3]) end
return 1
