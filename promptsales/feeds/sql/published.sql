select feed, extraction, extracted, inserted, updated, unchanged, quarantined, suppressed,
       checks_passed, checks_failed, last_sync_timestamp, complete_through
from ops.load
where feed = %(feed)s and extraction = %(extraction)s
