-- Compares Redis's clock and this host's with the latest time each has shown. Returns by how many seconds each was set
-- back.
-- KEYS: the marks (the latest time of each clock). ARGV: host name, its clock in s, smallest difference that counts in
-- s, seconds from one mark to the next.
local clock = redis.call('TIME')
local function set_back(field, now)
    local mark = tonumber(redis.call('HGET', KEYS[1], field) or 0)
    local back = mark - now
    if back > tonumber(ARGV[3]) or -back > tonumber(ARGV[4]) then
        redis.call('HSET', KEYS[1], field, string.format('%.6f', now))
    end
    return tostring(back > tonumber(ARGV[3]) and back or 0)
end
return {set_back('redis', clock[1] + clock[2] / 1000000), set_back('host:' .. ARGV[1], tonumber(ARGV[2]))}
