-- set hashes whose version is newer than what is there: KEYS the hashes; ARGV seconds to live, then per key version,
-- impressions, clicks, spend, conversions. A key of another type, or a hash without all of its fields, is set anew.
-- Answers how many were set
local set = 0
for i, key in ipairs(KEYS) do
    local at = (i - 1) * 5 + 2
    local kind = redis.call('TYPE', key)['ok']
    if kind ~= 'hash' and kind ~= 'none' then
        redis.call('DEL', key)
    end
    local there = redis.call('HMGET', key, 'version', 'impressions', 'clicks', 'spend', 'conversions')
    local known = tonumber(there[1] or nil)
    if not (there[2] and there[3] and there[4] and there[5]) or not known or known < tonumber(ARGV[at]) then
        redis.call('HSET', key, 'version', ARGV[at], 'impressions', ARGV[at + 1], 'clicks', ARGV[at + 2],
            'spend', ARGV[at + 3], 'conversions', ARGV[at + 4])
        set = set + 1
    end
    redis.call('EXPIRE', key, ARGV[1])
end
return set
