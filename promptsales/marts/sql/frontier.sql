-- touched_at is never before its transaction began; of others than our own role nothing is written there
select coalesce(min(xact_start), clock_timestamp())
from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid() and xact_start is not null
