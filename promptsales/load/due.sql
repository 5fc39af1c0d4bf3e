-- keys in quarantine that are worth another look: released by hand, judged by an older suite, or a day old
select key
from ops.quarantine
where feed = %(feed)s and released_at is null and not starts_with(key, 'without key ')
  and (is_waived or suite_checksum <> %(suite_checksum)s or last_tried_at < %(read_at)s - interval '1 day')
order by key
