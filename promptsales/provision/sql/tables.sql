-- types of extensions by their own name: an administrator's search path lacks public
select n.nspname || '.' || c.relname,
       obj_description(c.oid, 'pg_class'),
       jsonb_object_agg(
           a.attname, jsonb_build_array(regexp_replace(format_type(a.atttypid, a.atttypmod), '^public\.', ''), col_description(c.oid, a.attnum))
           order by a.attnum
       ),
       array_agg(a.attname::text || ' ' || regexp_replace(format_type(a.atttypid, a.atttypmod), '^public\.', '')
                 || case when a.attnotnull then ' not null' else '' end
                 || case a.attidentity when 'a' then ' generated always as identity' else '' end
                 order by a.attnum)
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where n.nspname in ('staging', 'core') and c.relkind = 'r'
group by n.nspname, c.relname, c.oid
