-- by name, because to_regclass needs a right on the schema
select a.attname, format_type(a.atttypid, a.atttypmod)
from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
where n.nspname || '.' || c.relname = %s and a.attnum > 0 and not a.attisdropped
order by a.attnum
