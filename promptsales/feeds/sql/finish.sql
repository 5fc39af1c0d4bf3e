-- the audit row; with the primary key, a load is published at most once
insert into ops.load (
    feed, extraction, mode, window_start, window_end, read_at,
    extracted, inserted, updated, unchanged, quarantined, suppressed, checks_passed, checks_failed,
    last_sync_timestamp, complete_through, triggered_by, started_at
)
values (
    %(feed)s, %(extraction)s, %(mode)s, %(window_start)s, %(window_end)s, %(read_at)s,
    %(extracted)s, %(inserted)s, %(updated)s, %(unchanged)s, %(quarantined)s, %(suppressed)s,
    %(checks_passed)s, %(checks_failed)s, %(last_sync_timestamp)s, %(complete_through)s, %(triggered_by)s, %(started_at)s
)
