-- one page of the open rows, oldest first, and how many there are in all
select q.quarantine_id, q.feed, q.key, q.rules, q.first_seen_at, q.tries, q.is_core_stale, q.is_waived, q.payload,
       count(*) over () as total
from ops.quarantine q
where q.released_at is null
  and (%(feed)s::text is null or q.feed = %(feed)s)
  and (%(rule)s::text is null or %(rule)s = any(q.rules))
order by q.quarantine_id
limit %(limit)s offset %(skip)s
