-- the last load's snapshot of the source came moments after it read the clock there
select read_at + interval '10 seconds'
from ops.load
where feed = %(feed)s
order by extraction desc
limit 1
