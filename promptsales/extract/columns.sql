-- by name in the catalogue: to resolve a relation as a table needs a right on its schema
select a.attname, format_type(a.atttypid, a.atttypmod)
from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
where n.nspname || '.' || c.relname = %s and a.attnum > 0 and not a.attisdropped
order by a.attnum
