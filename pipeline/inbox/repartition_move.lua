-- Moves some of the waiting hooks to the partitions in which they shall be, in their order, each entry as a whole. When
-- no hook is left, the new number counts: in the same step, so that a store's next hook comes behind its last one.
-- Returns 1 if all is done, 0 if there is more, -1 if another process moves now; then how many were looked at and moved,
-- and where to go on in each partition.
-- KEYS: number of partitions, stream. ARGV: id of this move, group, the most bytes to look at, then the last id seen in
-- each partition of before.
local function of(name, partition)
  if partition == 0 then return name end
  return name .. ':' .. partition
end

local STEP = 8  -- entries read at once: each may have megabytes
local key, group, most = KEYS[1], ARGV[2], tonumber(ARGV[3])
if redis.call('HGET', key, 'move') ~= ARGV[1] then return {-1, 0, 0} end
local number, following = tonumber(redis.call('HGET', key, 'number')), tonumber(redis.call('HGET', key, 'next'))
local seen, looked, moved, bytes = {}, 0, 0, 0
for partition = 0, number - 1 do seen[partition] = ARGV[4 + partition] end

local function look(partition, entry)
  local fields, store = entry[2], ''
  for at = 1, #fields, 2 do
    if fields[at] == 's' then store = fields[at + 1] end
    bytes = bytes + #fields[at + 1]
  end
  bytes = bytes + 200
  looked = looked + 1
  seen[partition] = entry[1]
  local target = tonumber(string.sub(redis.sha1hex(store), 1, 7), 16) % following
  if target == partition then return end
  redis.call('XADD', of(KEYS[2], target), '*', unpack(fields))
  redis.call('XACK', of(KEYS[2], partition), group, entry[1])
  redis.call('XDEL', of(KEYS[2], partition), entry[1])
  moved = moved + 1
end

local function answer(state)
  local result = {state, looked, moved}
  for partition = 0, number - 1 do result[#result + 1] = seen[partition] end
  return result
end

local is_changed = true
while is_changed do  -- what is moved to the end of a partition that was looked through is looked at there once more
  is_changed = false
  for partition = 0, number - 1 do
    local entries
    repeat
      entries = redis.call('XRANGE', of(KEYS[2], partition), '(' .. seen[partition], '+', 'COUNT', STEP)
      for _, entry in ipairs(entries) do
        is_changed = true
        look(partition, entry)
        if bytes >= most then return answer(0) end
      end
    until #entries < STEP
  end
end
redis.call('HSET', key, 'number', following)
redis.call('HDEL', key, 'next', 'move')
for partition = following, number - 1 do
  if redis.call('XLEN', of(KEYS[2], partition)) == 0 then redis.call('DEL', of(KEYS[2], partition)) end
end
return answer(1)
