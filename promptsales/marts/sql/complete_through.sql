-- the least; null as soon as one is not known
select case when count(*) = count(complete_through) then min(complete_through) end
from (
    select f.complete_through from unnest(%(feeds)s::text[]) name left join ops.feed f on f.feed = name
    union all
    select m.complete_through from unnest(%(marts)s::text[]) name left join ops.mart m on m.mart = name
) inputs
