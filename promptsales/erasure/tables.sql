select n.nspname as schema, c.relname as name, count(*)::integer as columns,
       coalesce(array_agg(a.attname::text) filter (where u.attnum is not null), '{}') as unique_columns,
       coalesce(array_agg(a.attname::text) filter (
           where u.attnum is null and format_type(a.atttypid, a.atttypmod) in ('uuid', 'text', 'character varying')
       ), '{}') as id_columns,
       bool_or(a.attname = '_loaded_at') as is_stamped
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
left join (select distinct i.indrelid, k.attnum from pg_index i, unnest(i.indkey) k(attnum) where i.indisunique) u
  on u.indrelid = c.oid and u.attnum = a.attnum
where c.relkind in ('r', 'm') and n.nspname !~ '^(pg_|information_schema$)'
  and n.nspname || '.' || c.relname <> all(%s) and has_table_privilege(c.oid, 'select')
group by n.nspname, c.relname
order by n.nspname, c.relname
