-- messages that could not be decoded or stored; of one that names an erased person only that there was one. An id of less
-- than 16 characters is another row's by chance (promptsales/erasure/suppression.py)
with letter as (
    select %(key)s::bytea as message_key, %(value)s::bytea as message_value
), kept as (
    select l.* from letter l
    where not exists (
        select from ops.suppression x
        where length(x.key) >= 16
          and (position(convert_to(x.key, 'UTF8') in l.message_value) > 0
               or position(convert_to(x.key, 'UTF8') in l.message_key) > 0)
    )
)
insert into ops.dead_letter (topic, partition, message_offset, message_key, message_value, reason, epoch)
select %(topic)s, %(partition)s, %(offset)s, message_key, message_value,
       %(reason)s::text || case when exists (select from kept) then '' else '; it names an erased person' end, %(epoch)s
from (values (true)) one left join kept on true
on conflict (topic, partition, message_offset) do nothing
