select quarantine_id, feed, key, rules, first_seen_at, tries, is_core_stale, is_waived
from ops.quarantine
where released_at is null and (%(feed)s::text is null or feed = %(feed)s)
order by quarantine_id
limit %(limit)s
