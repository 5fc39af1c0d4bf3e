-- the columns of type timestamp among those that contracts read
select named.relation, array_agg(distinct a.attname::text order by a.attname::text)
from unnest(%s::text[], %s::text[]) as named (relation, origin)
join pg_attribute a on a.attrelid = to_regclass(named.relation) and a.attname = named.origin
where a.atttypid = 'timestamp'::regtype
group by named.relation order by named.relation
