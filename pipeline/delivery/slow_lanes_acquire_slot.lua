-- Takes the first free slot. Returns its position in KEYS, or 0 if all are taken.
-- KEYS: the slots. ARGV: token, time to live in ms.
for slot, name in ipairs(KEYS) do
    if redis.call('SET', name, ARGV[1], 'NX', 'PX', ARGV[2]) then return slot end
end
return 0
