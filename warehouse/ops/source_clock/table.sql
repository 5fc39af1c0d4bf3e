-- two clocks at one moment: a source's that was set back since has gained less time than ours. Written by the publish transaction
create table ops.source_clock (
    feed text primary key,
    read_at timestamptz not null,
    noted_at timestamptz not null
);
comment on table ops.source_clock is 'One row a polled feed: its source''s clock and the warehouse''s at its last delta.';
comment on column ops.source_clock.feed is 'The feed, named like its core table.';
comment on column ops.source_clock.read_at is 'The source''s clock when the last delta read it.';
comment on column ops.source_clock.noted_at is 'The warehouse''s clock right after that.';
grant update on ops.source_clock to warehouse_loader;
