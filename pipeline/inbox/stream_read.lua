-- Reads entries of a consumer, if no other chain has held the lease since this one took it: a chain that reads without the
-- lease would take entries between those that its holder reads. Returns false if another has, else the entries.
-- KEYS: stream, lease, last token. ARGV: token, group, consumer, the most entries, the id after which it reads.
local holder = redis.call('GET', KEYS[2])
if holder ~= ARGV[1] and (holder or redis.call('GET', KEYS[3]) ~= ARGV[1]) then return false end
local answer = redis.call('XREADGROUP', 'GROUP', ARGV[2], ARGV[3], 'COUNT', ARGV[4], 'STREAMS', KEYS[1], ARGV[5])
return answer and answer[1] and answer[1][2] or {}
