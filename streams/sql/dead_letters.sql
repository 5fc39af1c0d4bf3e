-- messages that could not be decoded
insert into ops.dead_letter (topic, partition, message_offset, message_key, message_value, reason, epoch)
values (%(topic)s, %(partition)s, %(offset)s, %(key)s, %(value)s, %(reason)s, %(epoch)s)
on conflict (topic, partition, message_offset) do nothing
