-- Returns the stores of the newest hooks, each once.
-- KEYS: stream. ARGV: how many hooks to look at.
local seen, stores = {}, {}
for _, entry in ipairs(redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', ARGV[1])) do
  for at = 1, #entry[2], 2 do
    local value = entry[2][at + 1]
    if entry[2][at] == 's' and not seen[value] then
      seen[value] = true
      stores[#stores + 1] = value
    end
  end
end
return stores
