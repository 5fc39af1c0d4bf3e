-- set hashes whose version is newer than what is there: KEYS the hashes; ARGV seconds to live, then per key version,
-- impressions, clicks, spend, conversions. Answers how many were set
local set = 0
for i, key in ipairs(KEYS) do
    local at = (i - 1) * 5 + 2
    local known = redis.call('HGET', key, 'version')
    if not known or tonumber(known) < tonumber(ARGV[at]) then
        redis.call('HSET', key, 'version', ARGV[at], 'impressions', ARGV[at + 1], 'clicks', ARGV[at + 2],
            'spend', ARGV[at + 3], 'conversions', ARGV[at + 4])
        set = set + 1
    end
    redis.call('EXPIRE', key, ARGV[1])
end
return set
