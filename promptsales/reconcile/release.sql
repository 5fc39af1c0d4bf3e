-- what the source has no more need not wait for its repair
update ops.quarantine
set released_at = clock_timestamp(), release_reason = 'deleted'
where feed = %(feed)s and key = any(%(keys)s) and released_at is null
