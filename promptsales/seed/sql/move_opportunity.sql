-- an opportunity enters another stage; the source's own triggers keep its dates and write the history with the user's name
update crm.opportunities o
set stage_id = %(stage_id)s, stage_entered_at = %(entered_at)s, amount = %(amount)s, lost_reason = %(lost_reason)s
from (select set_config('crm.user_id', %(user_id)s::text, true)) as mover (id)
where o.id = %(opportunity_id)s and mover.id is not null
