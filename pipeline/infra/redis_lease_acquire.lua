-- Takes those of the leases that are free. Returns 1 or 0 for each: whether it is ours. Our own token counts as success:
-- the client repeats a call whose answer was lost, and that call had taken the leases.
-- KEYS: the leases. ARGV: token, time to live in ms.
local ours = {}
for place, name in ipairs(KEYS) do
    local taken = redis.call('SET', name, ARGV[1], 'NX', 'PX', ARGV[2]) or redis.call('GET', name) == ARGV[1]
    ours[place] = taken and 1 or 0
end
return ours
