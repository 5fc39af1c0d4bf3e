with gone as (
    delete from ops.touched where entity_id = any(%(ids)s)
    returning core_table, day
)
insert into ops.touched (core_table, entity_id, day)
select distinct core_table, %(nobody)s, day from gone
on conflict (core_table, entity_id, day) do update set touched_at = clock_timestamp()
