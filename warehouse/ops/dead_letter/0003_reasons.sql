-- what a reader of the pipeline's books may know of a dead letter: not its bytes
create view ops.dead_letter_reason as
select topic, partition, message_offset, epoch, reason, dead_at from ops.dead_letter;
comment on view ops.dead_letter_reason is 'Kafka messages that could not be decoded or stored, with the reason and without their bytes.';
comment on column ops.dead_letter_reason.topic is 'Kafka topic it came from.';
comment on column ops.dead_letter_reason.partition is 'Partition it came from.';
comment on column ops.dead_letter_reason.message_offset is 'Its offset there.';
comment on column ops.dead_letter_reason.epoch is 'The epoch it was sent under, from its header; null when it had none.';
comment on column ops.dead_letter_reason.reason is 'Why it could not be decoded.';
comment on column ops.dead_letter_reason.dead_at is 'When it was set aside.';
