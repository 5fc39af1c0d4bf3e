-- events that were removed before they were applied: completeness stands until a later snapshot is applied
alter table ops.stream_offset
    add column topic_id text,
    add column gap_from bigint,
    add column gap_to bigint,
    add column gap_epoch integer,
    add column gap_at timestamptz;
comment on column ops.stream_offset.topic_id is 'Kafka''s own id of the topic: another id means that the topic was deleted and created again. Null until it was read.';
comment on column ops.stream_offset.gap_from is 'First offset that was removed from Kafka, or skipped by the consumer group, before it was applied; null where nothing is missing.';
comment on column ops.stream_offset.gap_to is 'Offset after the last missing one; null where the topic was created again, so that nobody knows how many are missing.';
comment on column ops.stream_offset.gap_epoch is 'Highest epoch that the missing events can have: the snapshot of a higher epoch closes the gap.';
comment on column ops.stream_offset.gap_at is 'When the gap was last noticed or grew, UTC.';
