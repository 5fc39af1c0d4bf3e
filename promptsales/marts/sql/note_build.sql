insert into ops.mart_build (mart, is_full, ranges, staged, inserted, updated, deleted, restated, checks_passed,
                            checks_failed, complete_through, triggered_by, started_at)
values (%(mart)s, %(is_full)s, %(ranges)s, %(staged)s, %(inserted)s, %(updated)s, %(deleted)s, %(restated)s,
        %(checks_passed)s, %(checks_failed)s, %(complete_through)s, %(triggered_by)s, %(started_at)s)
