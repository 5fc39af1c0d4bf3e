-- set fields of a hash that is there, and let its time to live begin anew: KEYS[1] the hash; ARGV seconds to live, then
-- per field its name and value. Answers 0 where there is none
if redis.call('EXISTS', KEYS[1]) == 0 then
    return 0
end
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
redis.call('EXPIRE', KEYS[1], ARGV[1])
return 1
