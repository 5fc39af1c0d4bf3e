-- tgtype: 1 for each row, 2 before, 16 update
select c.relkind in ('r', 'p'),
       exists (
           select from pg_index i join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0]
           where i.indrelid = c.oid and i.indisvalid and a.attname = %s
       ),
       exists (
           select from pg_trigger t
           where t.tgrelid = c.oid and not t.tgisinternal and t.tgenabled <> 'D' and t.tgtype & 19 = 19
       )
from pg_class c where c.oid = to_regclass(%s)
