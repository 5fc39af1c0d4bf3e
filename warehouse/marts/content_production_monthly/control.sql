-- the assets made in the months, and what prompts cost that made none
with built as (select %(ranges)s::datemultirange as days)
select (
    select count(*) from core.content_assets a
    where a.deleted_at is null and (a.created_at at time zone %(zone)s)::date <@ built.days
) as assets, (
    select sum(p.cost_amount) from core.prompts p
    where p.deleted_at is null and (p.prompted_at at time zone %(zone)s)::date <@ built.days
      and not exists (select from core.content_assets a where a.deleted_at is null and a.asset_id = p.asset_id)
      and not exists (select from core.content_assets a where a.deleted_at is null and a.prompt_history_id = p.prompt_id)
) as unlinked_cost
from built
