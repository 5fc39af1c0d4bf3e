-- what no contract names is dropped, and counted
alter table ops.stream_offset
    add column unnamed_events bigint not null default 0,
    add column unnamed_at timestamptz;
comment on column ops.stream_offset.unnamed_events is 'Events that came with a field no contract names; the field was dropped. An event that comes again counts again.';
comment on column ops.stream_offset.unnamed_at is 'When the last of them was applied; null while there was none.';
