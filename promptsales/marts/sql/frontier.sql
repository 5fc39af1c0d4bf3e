-- touched_at is never before its transaction began; builds' own reads for marts touch nothing.
-- Null where a session writes there that does not show when it began
select case when not exists (
    select from pg_locks l
    left join pg_stat_activity w on w.pid = l.pid
    where l.relation = 'ops.touched'::regclass and l.mode = 'RowExclusiveLock' and l.granted and w.xact_start is null
      and l.pid is distinct from pg_backend_pid()
) then coalesce(min(xact_start), clock_timestamp()) end
from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid() and xact_start is not null
  and (application_name is distinct from %(reader)s or usename <> current_user)
