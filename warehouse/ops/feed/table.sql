-- one row a feed: where it stands. Written by the publish transaction, and by the start of a run (extraction)
create table ops.feed (
    feed text primary key,
    last_sync_timestamp timestamptz,
    complete_through timestamptz,
    extraction bigint not null default 0,
    fence bigint not null default 0,
    pii_kid integer,
    pii_check bytea,
    held_by text,
    updated_at timestamptz not null default now()
);
comment on table ops.feed is 'One row a feed: its watermark, its version sequence, its fence and the key it was hashed with.';
comment on column ops.feed.feed is 'The feed, named like its core table.';
comment on column ops.feed.last_sync_timestamp is 'The watermark: the next delta reads source rows changed at or after it.';
comment on column ops.feed.complete_through is 'Every commit at the source before it is in the warehouse; null where that cannot be known (a standby).';
comment on column ops.feed.extraction is 'Sequence of extractions: the version of the rows they load.';
comment on column ops.feed.fence is 'The extraction that may publish; a run that holds an older number fails.';
comment on column ops.feed.pii_kid is 'Which key hashed the feed.';
comment on column ops.feed.pii_check is 'HMAC of a fixed text with that key: tells a changed key from the same.';
comment on column ops.feed.held_by is 'What kept the watermark from advancing to the present at the last load; null when nothing did.';
comment on column ops.feed.updated_at is 'When the row last changed.';
grant update, delete on ops.feed to warehouse_loader;
