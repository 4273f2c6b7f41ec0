-- Reads the next hooks of stores that are not isolated, and defers those of isolated stores in between: they are pending
-- under their store's own consumer then. Returns 1 if there may be more behind, and the entries; false if another chain
-- has held the lease since the token was given ("": it is not looked at).
-- KEYS: stream, lease, last token. ARGV: token, group, prefix of the stores' consumers, the most entries, the most bytes
-- of them, the most bytes to look through, then the isolated stores.
local token = table.remove(ARGV, 1)
local holder = redis.call('GET', KEYS[2])
if token ~= '' and holder ~= token and (holder or redis.call('GET', KEYS[3]) ~= token) then return false end
local STEP, MOST_LOOKED_AT = 16, 2000
local key, group, prefix = KEYS[1], ARGV[1], ARGV[2]
local most, most_bytes, most_looked_bytes = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local isolated, deferred, found = {}, {}, {}
local looked, looked_bytes, bytes = 0, 0, 0
for at = 6, #ARGV do isolated[ARGV[at]] = true end

local function take(entry)
  local id, fields, store, size = entry[1], entry[2], '', 200
  if not fields then  -- deleted while it was pending
    redis.call('XACK', key, group, id)
    return true
  end
  for at = 1, #fields, 2 do
    if fields[at] == 's' then store = fields[at + 1] end
    size = size + #fields[at + 1]
  end
  looked, looked_bytes = looked + 1, looked_bytes + size
  if isolated[store] then
    if not deferred[store] then deferred[store] = {} end
    table.insert(deferred[store], id)
    return true
  end
  if #found == most or (#found > 0 and bytes + size > most_bytes) then return false end
  bytes = bytes + size
  found[#found + 1] = entry
  return true
end

local after, has_more = '0', 1
repeat
  local answer = redis.call('XREADGROUP', 'GROUP', group, group, 'COUNT', STEP, 'STREAMS', key, after)
  local entries = answer and answer[1] and answer[1][2] or {}
  local is_full = false
  for _, entry in ipairs(entries) do
    is_full = not take(entry)
    if is_full then break end  -- those behind stay pending, and are read first the next time
    if after ~= '>' then after = entry[1] end
  end
  if not is_full and #entries < STEP then
    if after == '>' then has_more = 0 else after = '>' end
  end
until is_full or has_more == 0 or looked >= MOST_LOOKED_AT or looked_bytes >= most_looked_bytes
for store, ids in pairs(deferred) do
  table.insert(ids, 'JUSTID')
  redis.call('XCLAIM', key, group, prefix .. store, 0, unpack(ids))
end
return {has_more, found}
