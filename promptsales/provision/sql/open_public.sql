-- whether everybody may create objects in the schema public, as servers before version 15 let them
select exists (
    select from pg_catalog.pg_namespace n
    cross join pg_catalog.aclexplode(coalesce(n.nspacl, pg_catalog.acldefault('n', n.nspowner))) a
    where n.nspname = 'public' and a.grantee = 0 and a.privilege_type = 'CREATE'
)
