-- what the last applied event was at the source, for the lag
alter table ops.stream_offset add column source_at timestamptz, add column source_lsn bigint;
comment on column ops.stream_offset.source_at is 'When the newest applied event was committed at the source, UTC.';
comment on column ops.stream_offset.source_lsn is 'Its position in the source''s log.';
