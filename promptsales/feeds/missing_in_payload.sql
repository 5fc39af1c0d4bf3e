-- the columns that are null in the row and not null in core
select array_agg(a.attname::text order by a.attnum)
from ops.quarantine q
join pg_attribute a on a.attrelid = to_regclass(format('core.%%I', q.feed))
where q.quarantine_id = %s and q.released_at is null
  and a.attnum > 0 and not a.attisdropped and a.attnotnull and q.payload -> a.attname = 'null'
