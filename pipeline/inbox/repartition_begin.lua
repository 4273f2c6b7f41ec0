-- Begins to give the inbox another number of partitions, or goes on with a change that was begun. From now on no chain
-- gets a lease, and hooks are added to the partitions of before until the last one has been moved.
-- Returns how many there are and how many there shall be: the same if there is nothing to do.
-- KEYS: number of partitions, stream, last token. ARGV: the wanted number (0: only go on), an id of this move, group, the most there can be.
local key = KEYS[1]
local number = tonumber(redis.call('HGET', key, 'number') or '')
local following = tonumber(redis.call('HGET', key, 'next') or '')
local wanted = tonumber(ARGV[1])
if not number then
  if wanted == 0 then return {0, 0} end
  number = redis.call('EXISTS', KEYS[2], KEYS[3]) > 0 and 1 or wanted
  for partition = tonumber(ARGV[4]) - 1, 1, -1 do  -- the number got lost with other keys
    if redis.call('EXISTS', KEYS[2] .. ':' .. partition) == 1 then
      number = partition + 1
      break
    end
  end
  redis.call('HSET', key, 'number', number)
end
if not following then
  if wanted == 0 or wanted == number then return {number, number} end
  following = wanted
end
redis.call('HSET', key, 'next', following, 'move', ARGV[2])
for partition = 0, math.max(number, following) - 1 do
  local stream = partition == 0 and KEYS[2] or KEYS[2] .. ':' .. partition
  redis.pcall('XGROUP', 'CREATE', stream, ARGV[3], '0', 'MKSTREAM')  -- it may be there
end
return {number, following}
