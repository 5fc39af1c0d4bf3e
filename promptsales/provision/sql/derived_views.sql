select relname, obj_description(oid, 'pg_class') from pg_class
where relnamespace = 'etl'::regnamespace and relkind = 'v' and relname <> 'pii_key'
