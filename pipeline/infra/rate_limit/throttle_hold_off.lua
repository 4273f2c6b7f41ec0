-- Pauses the account without lowering its rate. A refusal's pause stays a refusal's, so that it lowers the rate once.
-- KEYS: pause. ARGV: pause in ms.
if tonumber(ARGV[1]) > redis.call('PTTL', KEYS[1]) then
    redis.call('SET', KEYS[1], redis.call('GET', KEYS[1]) or 'rest', 'PX', ARGV[1])
end
