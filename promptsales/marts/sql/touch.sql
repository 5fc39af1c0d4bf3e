insert into ops.touched (core_table, entity_id, day)
select %(mart)s, %(rebuild)s, day from unnest(%(days)s::date[]) day
on conflict (core_table, entity_id, day) do update set touched_at = clock_timestamp()
