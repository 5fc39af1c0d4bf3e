-- by name, so that a missing table returns no row instead of an error
select a.attname::text from pg_attribute a join pg_class c on c.oid = a.attrelid
join pg_namespace n on n.oid = c.relnamespace
where n.nspname || '.' || c.relname = %s and a.attnum > 0 and not a.attisdropped
  and has_schema_privilege(%s, n.oid, 'usage') and has_column_privilege(%s, c.oid, a.attnum, 'select')
