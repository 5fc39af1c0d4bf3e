select feed, extraction, extracted, inserted, updated, unchanged, quarantined, suppressed,
       checks_passed, checks_failed, last_sync_timestamp, complete_through
from ops.load
where triggered_by = %(triggered_by)s
order by feed, extraction
