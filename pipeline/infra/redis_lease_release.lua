-- Gives the leases back. Returns 1 or 0 for each: whether it was still ours.
-- KEYS: the leases. ARGV: token, time to live in ms (unused).
local ours = {}
for place, name in ipairs(KEYS) do
    ours[place] = redis.call('GET', name) == ARGV[1] and redis.call('DEL', name) or 0
end
return ours
