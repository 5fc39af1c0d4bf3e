-- the dependencies of a view name its tables by oid, so a renamed table appears under its new name
select v.relname::text, array_agg(distinct n.nspname || '.' || c.relname)
from pg_class v
join pg_rewrite w on w.ev_class = v.oid
join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = w.oid and d.refclassid = 'pg_class'::regclass
join pg_class c on c.oid = d.refobjid and c.relnamespace <> v.relnamespace
join pg_namespace n on n.oid = c.relnamespace
where v.relnamespace = (select oid from pg_namespace where nspname = 'etl') and v.relkind = 'v'
group by v.relname
