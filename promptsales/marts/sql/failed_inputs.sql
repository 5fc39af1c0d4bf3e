-- feeds whose last audit (of a load, or of core as it stood) broke a rule that blocks, or could not run one
with last as (
    select distinct on (feed) feed, extraction, checked_at from ops.check_result
    where feed = any(%(feeds)s) order by feed, checked_at desc, check_result_id desc
)
select distinct last.feed
from last join ops.check_result r
  on r.feed = last.feed and r.extraction is not distinct from last.extraction
 and r.checked_at > last.checked_at - interval '5 minutes'
where r.on_fail = 'block' and not r.is_success
order by 1
