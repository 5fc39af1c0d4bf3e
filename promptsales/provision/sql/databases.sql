-- every database, its time zone, and who may do what in it besides its owner
select
    d.datname,
    (
        select substring(entry from 10)
        from pg_db_role_setting s, unnest(s.setconfig) entry
        where s.setdatabase = d.oid and s.setrole = 0 and entry ilike 'timezone=%'
    ) as zone,
    array(
        select array[case when a.grantee = 0 then 'public' else a.grantee::regrole::text end, a.privilege_type]
        from aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
    ) as grants
from pg_database d
