select obj_description(c.oid, 'pg_class'), exists (
    select from pg_trigger t where t.tgrelid = c.oid and not t.tgisinternal and t.tgenabled <> 'D'
)
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname || '.' || c.relname = %s and c.relkind in ('r', 'p')
