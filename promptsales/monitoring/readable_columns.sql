-- by name in the catalogue: to resolve it as a table would need the very right that must not be there
select a.attname
from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
where n.nspname || '.' || c.relname = %s and a.attnum > 0 and not a.attisdropped
  and has_schema_privilege(n.oid, 'usage') and has_column_privilege(c.oid, a.attnum, 'select')
