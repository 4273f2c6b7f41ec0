-- Returns the partitions in which hooks wait, each followed by how many: also of those beyond the number there is now.
-- KEYS: stream. ARGV: the most partitions there can be.
local found = {}
for partition = 0, tonumber(ARGV[1]) - 1 do
  local length = redis.call('XLEN', partition == 0 and KEYS[1] or KEYS[1] .. ':' .. partition)
  if length > 0 then
    found[#found + 1] = partition
    found[#found + 1] = length
  end
end
return found
