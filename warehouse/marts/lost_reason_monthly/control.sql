-- the deals of the months that were closed and not won
with built as (select %(ranges)s::datemultirange as days)
select count(*) as lost, sum(o.amount) as lost_amount
from built cross join core.opportunities o
where o.deleted_at is null and o.merged_into_id is null and (o.closed_at at time zone %(zone)s)::date <@ built.days
  and o.stage_id not in (select stage_id from core.pipeline_stages where is_won)
