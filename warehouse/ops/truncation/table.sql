-- what the stream was told of TRUNCATE: noted with the event, applied once every older event is
create table ops.truncation (
    feed text not null,
    src_epoch integer not null,
    src_lsn bigint not null,
    committed_at timestamptz not null,
    noted_at timestamptz not null default clock_timestamp(),
    deleted bigint,
    applied_at timestamptz,
    primary key (feed, src_epoch, src_lsn)
);
comment on table ops.truncation is 'TRUNCATEs of streamed tables at their source. Rows of an older version are deleted, and none comes back.';
comment on column ops.truncation.feed is 'The streamed table.';
comment on column ops.truncation.src_epoch is 'Epoch of the event.';
comment on column ops.truncation.src_lsn is 'Position of the TRUNCATE in the source''s log.';
comment on column ops.truncation.committed_at is 'When it was committed at the source, UTC. Until the rows are deleted, complete_through does not pass it.';
comment on column ops.truncation.noted_at is 'When the stream noted the event.';
comment on column ops.truncation.deleted is 'Rows that were deleted, in core or in quarantine; null until applied_at.';
comment on column ops.truncation.applied_at is 'When the last of them was deleted; null before.';
grant update on ops.truncation to warehouse_loader;
