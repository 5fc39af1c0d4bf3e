-- the bridge from old hashes to new ones ends with the first load after its window
delete from ops.pii_bridge where feed = %(feed)s and expires_at <= clock_timestamp()
