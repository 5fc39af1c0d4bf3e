-- a version for the soft-deletes; the fence stays, so that a load that runs meanwhile may publish its other rows
update ops.feed set extraction = extraction + 1, updated_at = clock_timestamp()
where feed = %(feed)s
returning extraction
