-- relations of a schema with their comments, and the names, types and comments of their columns
select c.relname, obj_description(c.oid, 'pg_class'),
       array_agg(
           array[a.attname::text, format_type(a.atttypid, a.atttypmod), col_description(c.oid, a.attnum)]
           order by a.attnum
       )
from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relnamespace = %s::regnamespace and c.relkind in ('r', 'v', 'm')
group by c.oid, c.relname
