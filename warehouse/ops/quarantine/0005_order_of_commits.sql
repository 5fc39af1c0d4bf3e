-- as the streamed tables: versions are in the order of commits
update ops.quarantine set payload = payload || jsonb_build_object('src_commit', payload -> 'src_lsn')
where payload ?& array['src_epoch', 'src_lsn', 'src_is_snapshot'];
