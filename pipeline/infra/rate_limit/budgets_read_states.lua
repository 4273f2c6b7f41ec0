-- Reads the state of accounts: for each the pause in ms, the factor, the debt and an urgent caller's turn in ms.
-- KEYS: for each account pause, throttle, debt, urgent. ARGV: none.
local states = {}
for place = 1, #KEYS, 4 do
    table.insert(states, redis.call('PTTL', KEYS[place]))
    table.insert(states, redis.call('HGET', KEYS[place + 1], 'factor') or '1')
    table.insert(states, redis.call('PTTL', KEYS[place + 2]))
    table.insert(states, redis.call('PTTL', KEYS[place + 3]))
end
return states
