-- bring the built days of a mart to what staging holds; replaced values of settled days go to ops.restatement
with gone as (
    delete from {mart} m
    where m.{period} <@ any(%(ranges)s::daterange[])
      and not exists (select from {staging} s where {same})
    returning m.*
), merged as (
    insert into {mart} as m ({columns})
    select {columns}
    from {staging}
    on conflict ({grain}) do update
    set {assignments}
    where row({current})
        is distinct from row({excluded})
    returning {first} is null as is_new, new.{period} as day, old.{period} as was_day,
              case when %(is_restated)s and {first} is not null then to_jsonb(old) end as was,
              case when %(is_restated)s and {first} is not null then to_jsonb(new) end as now
), replaced as (
    select case when %(is_restated)s then to_jsonb(gone) end as was, null::jsonb as now, gone.{period} as day from gone
    union all
    select was, now, day from merged where not is_new
), restated as (
    insert into ops.restatement (mart, grain, old_values, new_values)
    select %(mart)s, g.grain, o.old_values, coalesce(n.new_values, '{{}}')
    from replaced r
    cross join lateral (select jsonb_object_agg(k, r.was -> k) as grain from unnest({grain_names}::text[]) k) g
    cross join lateral (select jsonb_object_agg(k, r.was -> k) as old_values
                        from unnest({measures}::text[]) k) o
    cross join lateral (select jsonb_object_agg(k, r.now -> k) as new_values
                        from unnest({measures}::text[]) k where r.now is not null) n
    where %(is_restated)s and r.day < %(settled_before)s and o.old_values is distinct from n.new_values
    returning 1
), touched as (
    insert into ops.touched (core_table, entity_id, day)
    select distinct 'marts.' || %(mart)s, '*', day
    from (
        select day from replaced
        union
        select day from merged where is_new
        union
        select was_day from merged where not is_new
    ) x
    on conflict (core_table, entity_id, day) do update set touched_at = clock_timestamp()
)
select (select count(*) from {staging}), count(*) filter (where is_new), count(*) filter (where not is_new),
       (select count(*) from gone), (select count(*) from restated)
from merged
