-- Restarts the leases' times to live. Returns 1 or 0 for each: whether it is still ours.
-- KEYS: the leases. ARGV: token, time to live in ms.
local ours = {}
for place, name in ipairs(KEYS) do
    local is_ours = redis.call('GET', name) == ARGV[1]
    ours[place] = is_ours and redis.call('PEXPIRE', name, ARGV[2]) or 0
end
return ours
