-- what is in the schemas etl and migrations, themselves included, and belongs neither to an administrator nor to a role that
-- nobody logs in as
with ours as (
    select n.oid, n.nspname, n.nspowner from pg_namespace n where n.nspname in ('etl', 'migrations')
), found (what, owner) as (
    select format('schema %I', nspname), nspowner from ours
    union all
    select format('relation %I.%I', ours.nspname, c.relname), c.relowner from pg_class c join ours on ours.oid = c.relnamespace
    union all
    select format('function %I.%I', ours.nspname, p.proname), p.proowner from pg_proc p join ours on ours.oid = p.pronamespace
)
select found.what, r.rolname
from found join pg_roles r on r.oid = found.owner
where not r.rolsuper and r.rolname not in (current_user, 'etl_owner', 'etl_frontier')
order by found.what collate "C" desc
limit 1
