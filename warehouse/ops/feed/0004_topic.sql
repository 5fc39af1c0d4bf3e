-- a streamed table has no loads: how it goes is told by the offsets of its topic (ops.stream_offset)
alter table ops.feed add column topic text;
comment on column ops.feed.topic is 'Kafka topic of a table that is streamed, change by change; null for a feed that is loaded by the hour.';
