select feed, rule, count(*) as rows, date_trunc('second', max(clock_timestamp() - first_seen_at)) as age
from ops.quarantine cross join unnest(rules) as rule
where released_at is null
group by feed, rule
order by feed, count(*) desc, rule
