-- what a reader of the pipeline's books may know of a dead letter: not its bytes
create view ops.dead_letter_reason as
select topic, partition, message_offset, epoch, reason, dead_at from ops.dead_letter;
comment on view ops.dead_letter_reason is 'Kafka messages that could not be decoded or stored, with the reason and without their bytes.';
