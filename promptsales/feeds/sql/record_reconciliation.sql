insert into ops.reconciliation (
    feed, complete_through, source_rows, warehouse_rows, buckets, unequal_buckets,
    gone, deleted, missing, differing, silent, pending, extraction, triggered_by, compared_at,
    is_whole
)
values (
    %(feed)s, %(complete_through)s, %(source_rows)s, %(warehouse_rows)s, %(buckets)s, %(unequal_buckets)s,
    %(gone)s, %(deleted)s, %(missing)s, %(differing)s, %(silent)s, %(pending)s, %(extraction)s, %(triggered_by)s,
    %(compared_at)s, %(is_whole)s
)
