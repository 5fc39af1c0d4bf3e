-- every role as it is
select
    r.rolname,
    r.rolcanlogin,
    r.rolreplication,
    r.rolpassword,
    array(
        select g.rolname::text from pg_auth_members m join pg_authid g on g.oid = m.roleid where m.member = r.oid
    ) as member_of,
    coalesce((
        select jsonb_object_agg(split_part(entry, '=', 1), substring(entry from position('=' in entry) + 1))
        from pg_db_role_setting s, unnest(s.setconfig) entry
        where s.setrole = r.oid and s.setdatabase = 0
    ), '{}') as settings
from pg_authid r
