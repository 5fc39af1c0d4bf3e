-- where a feed of the document database stands in its change stream and in its topic; written by the publish transaction
alter table ops.feed add column resume_token jsonb, add column kafka_offsets jsonb;
comment on column ops.feed.resume_token is 'Where the change stream goes on; null for a feed that is polled, and before its first load.';
comment on column ops.feed.kafka_offsets is 'Of each partition of the feed''s topic: the offset after the last row that was published.';
