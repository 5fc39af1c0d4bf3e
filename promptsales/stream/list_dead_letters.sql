select topic, partition, message_offset, reason, dead_at from ops.dead_letter_reason
where %(topic)s::text is null or topic = %(topic)s
order by dead_at, topic, partition, message_offset limit %(limit)s
