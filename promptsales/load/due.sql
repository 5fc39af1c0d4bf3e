-- keys in quarantine that are worth another look: released by hand, judged by an older suite, or a day old
select key
from ops.quarantine
where feed = %(feed)s and released_at is null and not starts_with(key, 'without key ')
  and (is_waived or suite_checksum <> %(suite_checksum)s or last_tried_at < %(read_at)s - interval '1 day')
-- and keys a reconciliation found wrong that no delta has read since
union
select key
from ops.reread
where feed = %(feed)s
  and extraction >= (select coalesce(max(extraction), 0) from ops.load where feed = %(feed)s and mode = 'delta')
order by key
