select
    q.quarantine_id, q.feed, q.key, q.rules, q.payload, q.is_core_stale, q.first_seen_at, q.last_tried_at, q.tries,
    q.is_waived, q.released_at, q.release_reason, a.acted_by, a.reason, a.acted_at
from ops.quarantine q
left join lateral (
    select m.acted_by, m.reason, m.acted_at from ops.manual_action m
    where m.action = 'release' and m.target = q.quarantine_id::text order by m.manual_action_id desc limit 1
) a on true
where q.quarantine_id = %(id)s
