-- the deals of the months that were closed
with built as (select %(ranges)s::datemultirange as days),
closed as (
    select o.amount, o.stage_id in (select stage_id from core.pipeline_stages where is_won) as is_won
    from built cross join core.opportunities o
    where o.deleted_at is null and o.merged_into_id is null and (o.closed_at at time zone %(zone)s)::date <@ built.days
)
select count(*) filter (where is_won) as won, count(*) filter (where not is_won) as lost,
       sum(amount) filter (where is_won) as won_amount, sum(amount) filter (where not is_won) as lost_amount
from closed
