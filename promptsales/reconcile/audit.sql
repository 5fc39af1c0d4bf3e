-- the soft-deletes' row among the loads; the feed stands where it stood
insert into ops.load (
    feed, extraction, mode, read_at, extracted, inserted, updated, unchanged, quarantined, suppressed,
    checks_passed, checks_failed, last_sync_timestamp, complete_through, triggered_by, started_at
)
select feed, %(extraction)s, 'reconcile', %(read_at)s, %(deleted)s, 0, %(deleted)s, 0, 0, 0,
       0, 0, last_sync_timestamp, complete_through, %(triggered_by)s, clock_timestamp()
from ops.feed
where feed = %(feed)s
