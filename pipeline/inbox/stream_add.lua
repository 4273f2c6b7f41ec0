-- Adds all hooks or none. Returns 1 if the chain must be woken: no one holds its lease, and no wake-up is on its way.
-- A script costs half of what the same commands in MULTI do, because there is one answer to read instead of two for
-- each hook. When Redis is out of memory it fails at its first XADD, so nothing is added. The holder of the chain
-- lease checks for new hooks when it ends, so it needs no wake-up.
-- KEYS: stream, wake-up, chain lease. ARGV: time to live of the wake-up in s, then for each hook the number of its
-- fields and values, and these.
local at = 2
while at <= #ARGV do
  local count = tonumber(ARGV[at])
  redis.call('XADD', KEYS[1], '*', unpack(ARGV, at + 1, at + count))
  at = at + count + 1
end
if redis.call('EXISTS', KEYS[3]) == 1 then return 0 end
return redis.call('SET', KEYS[2], 1, 'NX', 'EX', ARGV[1]) and 1 or 0
