-- Moves those of the given entries whose store belongs to another partition to the end of that one, in their order.
-- Returns the ids of the moved ones. The sweep wakes the chains of the others.
-- KEYS: stream, number of partitions. ARGV: group, this partition, then the ids.
local function of(name, partition)
  if partition == 0 then return name end
  return name .. ':' .. partition
end

local number = tonumber(redis.call('HGET', KEYS[2], 'number') or '')
local here, moved = tonumber(ARGV[2]), {}
if not number then return moved end
local stream = of(KEYS[1], here)
for at = 3, #ARGV do
  local entry = redis.call('XRANGE', stream, ARGV[at], ARGV[at])[1]
  if entry then
    local store = ''
    for field = 1, #entry[2], 2 do
      if entry[2][field] == 's' then store = entry[2][field + 1] end
    end
    local partition = tonumber(string.sub(redis.sha1hex(store), 1, 7), 16) % number
    if partition ~= here then
      redis.call('XADD', of(KEYS[1], partition), '*', unpack(entry[2]))
      redis.call('XACK', stream, ARGV[1], ARGV[at])
      redis.call('XDEL', stream, ARGV[at])
      moved[#moved + 1] = ARGV[at]
    end
  end
end
return moved
