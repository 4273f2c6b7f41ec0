-- Returns 1 if the lease is free. A lease whose next task was lost is released first. A time to live longer than that
-- of a task at work means that the lease was parked for the next task.
-- KEYS: lease, last token, takeover, wake-up, current batch, number of partitions. ARGV: time to live at work
-- in ms, time that a parked lease has left when its next task must have left the queue in ms, seconds from one takeover
-- to the next.
local left = redis.call('PTTL', KEYS[1])
local missed = left > tonumber(ARGV[1]) and left <= tonumber(ARGV[2])
if missed and redis.call('SET', KEYS[3], 1, 'NX', 'EX', ARGV[3]) then redis.call('DEL', KEYS[1]) end
return 1 - redis.call('EXISTS', KEYS[1])
