select q.*, a.acted_by, a.reason, a.acted_at
from ops.quarantine q
left join lateral (
    select m.acted_by, m.reason, m.acted_at from ops.manual_action m
    where m.action = 'release' and m.target = q.quarantine_id::text order by m.manual_action_id desc limit 1
) a on true
where q.quarantine_id = %(id)s
