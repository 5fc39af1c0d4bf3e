-- messages that could not be decoded, bytes untouched
create table ops.dead_letter (
    topic text not null,
    partition integer not null,
    message_offset bigint not null,
    message_key bytea,
    message_value bytea,
    reason text not null,
    dead_at timestamptz not null default clock_timestamp(),
    primary key (topic, partition, message_offset)
);
comment on table ops.dead_letter is 'Kafka messages that could not be decoded, bytes untouched, with the reason.';
comment on column ops.dead_letter.topic is 'Kafka topic it came from.';
comment on column ops.dead_letter.partition is 'Partition it came from.';
comment on column ops.dead_letter.message_offset is 'Its offset there.';
comment on column ops.dead_letter.message_key is 'Its key, untouched.';
comment on column ops.dead_letter.message_value is 'Its value, untouched.';
comment on column ops.dead_letter.reason is 'Why it could not be decoded.';
comment on column ops.dead_letter.dead_at is 'When it was set aside.';
grant update, delete on ops.dead_letter to warehouse_loader;
