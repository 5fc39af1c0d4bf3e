select feed, extraction, extracted, inserted, updated, unchanged, quarantined, suppressed,
       checks_passed, checks_failed, last_sync_timestamp, complete_through,
       case when mode = 'window' then jsonb_build_object('start', window_start, 'end', window_end) end as "window"
from ops.load
where triggered_by = %(triggered_by)s
order by feed, extraction
