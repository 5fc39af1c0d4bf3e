-- what was done by hand, newest first
select a.action, a.feed, a.target, a.acted_by, a.reason, a.acted_at
from ops.manual_action a
where (%(feed)s::text is null or a.feed = %(feed)s) and (%(actions)s::text[] is null or a.action = any(%(actions)s))
order by a.manual_action_id desc
limit %(limit)s
