-- each move of a deal begins where the one before ended
select change_id
from (
    select change_id, from_stage_id,
           lag(to_stage_id) over (partition by opportunity_id order by changed_at, change_id) as before
    from core.opportunity_stage_history where not is_deleted
) m
where before is not null and from_stage_id is distinct from before
