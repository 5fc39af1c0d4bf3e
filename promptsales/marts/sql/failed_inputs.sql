-- feeds of which a rule that guards the whole batch failed, or a row rule could not run, and has not passed since.
-- A staged batch counts until a later load is published, a rule that left the suite until the suite has run without it
select distinct failed.feed
from ops.check_result failed
where failed.feed = any(%(feeds)s) and not failed.is_success
  and (failed.on_fail = 'block' or failed.on_fail = 'quarantine' and failed.error is not null)
  and not exists (
      select from ops.check_result later
      where later.feed = failed.feed and later.rule = failed.rule and later.check_result_id > failed.check_result_id
  )
  and not exists (
      select from ops.load published
      where published.feed = failed.feed and published.mode = 'delta' and published.extraction > failed.extraction
  )
  and (
      failed.feed || ' ' || failed.rule = any(%(rules)s)
      or not exists (
          select from ops.check_result later
          where later.feed = failed.feed and later.feed || ' ' || later.rule = any(%(rules)s)
            and later.check_result_id > failed.check_result_id
      )
  )
order by 1
