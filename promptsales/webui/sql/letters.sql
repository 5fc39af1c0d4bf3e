select d.topic, d.partition, d.message_offset, d.reason, d.dead_at, count(*) over () as total
from ops.dead_letter_reason d
where %(topic)s::text is null or d.topic = %(topic)s
order by d.dead_at, d.topic, d.partition, d.message_offset
limit %(limit)s offset %(skip)s
