-- a table's columns in order; values are those a check constraint on the column alone allows it
select a.attname as name,
       -- types of extensions, such as citext, by their own name: an administrator's search path lacks public
       regexp_replace(format_type(a.atttypid, a.atttypmod), '^public\.', '') as type, a.attnotnull as is_required,
       col_description(c.oid, a.attnum) as comment,
       coalesce(k.contype is not null, false) as is_key,
       (select pg_get_constraintdef(x.oid) from pg_constraint x
        where x.conrelid = c.oid and x.contype = 'c' and x.conkey = array[a.attnum]
          and pg_get_constraintdef(x.oid) like '%%ANY%%ARRAY%%' order by x.oid limit 1) as allowed,
       exists (select from pg_index i where i.indrelid = c.oid and i.indkey[0] = a.attnum) as is_indexed
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
left join pg_constraint k on k.conrelid = c.oid and k.contype = 'p' and k.conkey = array[a.attnum]
where n.nspname || '.' || c.relname = %s and c.relkind in ('r', 'p')
order by a.attnum
