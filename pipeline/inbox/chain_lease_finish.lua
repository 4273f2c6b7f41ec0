-- Removes a batch from the inbox and forgets the tries of its bodies. If hooks wait and the holder may go on, the lease's
-- time is restarted, otherwise the lease is given back; so it is while hooks are moved to other partitions. Returns how
-- many hooks wait, and 1 if the lease is still held.
-- KEYS: lease, last token, current batch, stream, tries, consecutive failures, number of partitions. ARGV: consumer
-- group, token, time to live in ms (0: the holder ends), 1 if hooks succeeded, the number of entries, their ids, the
-- hashes of the bodies.
local token, ttl, count = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[5])
if count > 0 then
  redis.call('XACK', KEYS[4], ARGV[1], unpack(ARGV, 6, 5 + count))
  redis.call('XDEL', KEYS[4], unpack(ARGV, 6, 5 + count))
end
if #ARGV > 5 + count then redis.call('HDEL', KEYS[5], unpack(ARGV, 6 + count)) end
if ARGV[4] == '1' then redis.call('DEL', KEYS[6]) end
if redis.call('HGET', KEYS[3], 'token') == token then redis.call('DEL', KEYS[3]) end
local waiting, holder = redis.call('XLEN', KEYS[4]), redis.call('GET', KEYS[1])
local is_last = redis.call('GET', KEYS[2]) == token
local is_ours = holder == token or (not holder and is_last)
if is_ours and waiting > 0 and ttl > 0 and redis.call('HEXISTS', KEYS[7], 'next') == 0 then
  redis.call('SET', KEYS[1], token, 'PX', ttl)
  return {waiting, 1}
end
if is_last then redis.call('INCR', KEYS[2]) end
if holder == token then redis.call('DEL', KEYS[1]) end
return {waiting, 0}
