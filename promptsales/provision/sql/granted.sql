-- relations of other schemas of which a role may select something by a grant of the owner, which provision makes in his name
select n.nspname::text, c.relname::text, c.relkind::text
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where n.nspname not in ('pg_catalog', 'information_schema', 'etl')
  and exists (
      select from aclexplode(c.relacl) a
      where a.grantee = %(role)s::regrole and a.grantor = c.relowner and a.privilege_type = 'SELECT'
      union all
      select from pg_attribute t cross join aclexplode(t.attacl) a
      where t.attrelid = c.oid and a.grantee = %(role)s::regrole and a.grantor = c.relowner and a.privilege_type = 'SELECT'
  )
order by 1, 2
