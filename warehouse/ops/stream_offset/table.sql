-- how far each partition was applied, written in the stream's own transactions
create table ops.stream_offset (
    topic text not null,
    partition integer not null,
    next_offset bigint not null,
    applied_at timestamptz not null default clock_timestamp(),
    primary key (topic, partition)
);
comment on table ops.stream_offset is 'How far each Kafka partition was applied, in the transaction that applied it.';
comment on column ops.stream_offset.topic is 'Kafka topic.';
comment on column ops.stream_offset.partition is 'Partition of the topic.';
comment on column ops.stream_offset.next_offset is 'Offset of the next message to apply.';
comment on column ops.stream_offset.applied_at is 'When the last message was applied.';
grant update, delete on ops.stream_offset to warehouse_loader;
