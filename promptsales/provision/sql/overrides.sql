-- what roles have set for their sessions in this database: one row a role that may log in and write one of some tables, also
-- as a member of a group. An entry for this database comes before one for all. Without a role: what holds for all of them.
select distinct on (s.setrole)
    r.rolname as role,
    s.setdatabase <> 0 as is_of_database,
    substring(entry from position('=' in entry) + 1) as value
from pg_db_role_setting s
cross join unnest(s.setconfig) entry
left join pg_roles r on r.oid = s.setrole
where lower(split_part(entry, '=', 1)) = lower(%(setting)s)
  and s.setdatabase in (0, (select oid from pg_database where datname = current_database()))
  and (s.setrole = 0 or r.rolcanlogin and exists (
      select from unnest(%(relations)s::text[]) as named (relation)
      join pg_class c on c.oid = to_regclass(named.relation)
      join pg_roles g on pg_has_role(r.oid, g.oid, 'member')
      where has_table_privilege(g.oid, c.oid, 'insert, update')
  ))
order by s.setrole, s.setdatabase desc
