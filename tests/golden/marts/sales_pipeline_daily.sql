-- Written by `python -m tests.golden` from warehouse/marts/sales_pipeline_daily; do not edit.
-- The statements are as psycopg gets them: %(name)s and %s stand for parameters, %% for a percent sign.

-- provision: the staging table
drop table if exists "staging"."marts__sales_pipeline_daily";
create unlogged table "staging"."marts__sales_pipeline_daily" (
        "date_day" date, "stage_id" uuid, "owner_user_id" uuid, "currency_code" character(3),
        "pipeline_code" character varying(50), "stage_name" character varying(100),
        "stage_position" smallint, "open_count" bigint, "open_amount" numeric(25,2),
        "weighted_amount" numeric(27,4), "avg_age_days" numeric(38,6)
);
comment on table "staging"."marts__sales_pipeline_daily" is 'Rows of marts.sales_pipeline_daily that were built and are not yet checked; emptied by each build.';

-- publish: bring marts.sales_pipeline_daily to what staging holds
-- bring the built days of a mart to what staging holds; replaced values of settled days go to ops.restatement
with gone as (
    delete from "marts"."sales_pipeline_daily" m
    where m."date_day" <@ any(%(ranges)s::daterange[])
      and not exists (select from "staging"."marts__sales_pipeline_daily" s where m."date_day" = s."date_day" and m."stage_id" = s."stage_id" and m."owner_user_id" = s."owner_user_id" and
                m."currency_code" = s."currency_code")
    returning m.*
), merged as (
    insert into "marts"."sales_pipeline_daily" as m ("date_day", "stage_id", "owner_user_id", "currency_code", "pipeline_code", "stage_name",
                "stage_position", "open_count", "open_amount", "weighted_amount", "avg_age_days")
    select "date_day", "stage_id", "owner_user_id", "currency_code", "pipeline_code", "stage_name",
                "stage_position", "open_count", "open_amount", "weighted_amount", "avg_age_days"
    from "staging"."marts__sales_pipeline_daily"
    on conflict ("date_day", "stage_id", "owner_user_id", "currency_code") do update
    set "pipeline_code" = excluded."pipeline_code", "stage_name" = excluded."stage_name",
                "stage_position" = excluded."stage_position", "open_count" = excluded."open_count",
                "open_amount" = excluded."open_amount", "weighted_amount" = excluded."weighted_amount",
                "avg_age_days" = excluded."avg_age_days"
    where row("m"."pipeline_code", "m"."stage_name", "m"."stage_position", "m"."open_count", "m"."open_amount",
                "m"."weighted_amount", "m"."avg_age_days")
        is distinct from row("excluded"."pipeline_code", "excluded"."stage_name", "excluded"."stage_position",
                "excluded"."open_count", "excluded"."open_amount", "excluded"."weighted_amount",
                "excluded"."avg_age_days")
    returning "old"."date_day" is null as is_new, new."date_day" as day, old."date_day" as was_day,
              case when %(is_restated)s and "old"."date_day" is not null then to_jsonb(old) end as was,
              case when %(is_restated)s and "old"."date_day" is not null then to_jsonb(new) end as now
), replaced as (
    select case when %(is_restated)s then to_jsonb(gone) end as was, null::jsonb as now, gone."date_day" as day from gone
    union all
    select was, now, day from merged where not is_new
), restated as (
    insert into ops.restatement (mart, grain, old_values, new_values)
    select %(mart)s, g.grain, o.old_values, coalesce(n.new_values, '{}')
    from replaced r
    cross join lateral (select jsonb_object_agg(k, r.was -> k) as grain from unnest('{date_day,stage_id,owner_user_id,currency_code}'::text[]) k) g
    cross join lateral (select jsonb_object_agg(k, r.was -> k) as old_values
                        from unnest('{open_count,open_amount,weighted_amount,avg_age_days}'::text[]) k) o
    cross join lateral (select jsonb_object_agg(k, r.now -> k) as new_values
                        from unnest('{open_count,open_amount,weighted_amount,avg_age_days}'::text[]) k where r.now is not null) n
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
select (select count(*) from "staging"."marts__sales_pipeline_daily"), count(*) filter (where is_new), count(*) filter (where not is_new),
       (select count(*) from gone), (select count(*) from restated)
from merged;

-- publish: note where the mart stands
-- a window leaves the mart standing where it stood: what was touched meanwhile is still to be built
insert into ops.mart as o (mart, touched_through, as_of_day, zone, definition, complete_through, is_empty)
select %(mart)s, %(touched_through)s, %(as_of_day)s, %(zone)s, %(definition)s, %(complete_through)s,
       not exists (select from "marts"."sales_pipeline_daily")
where not %(is_window)s
on conflict (mart) do update
set touched_through = excluded.touched_through, as_of_day = excluded.as_of_day, zone = excluded.zone,
    definition = excluded.definition, complete_through = excluded.complete_through,
    is_empty = excluded.is_empty, built_at = clock_timestamp();

-- erase: touch the periods of rows that name a person
insert into ops.touched (core_table, entity_id, day)
            select distinct %(mart)s, %(entity)s, "date_day" from "marts"."sales_pipeline_daily" t
    where exists (select from unnest(%(needles)s::text[]) needle where position(needle in lower((t.*)::text)) > 0)
            on conflict (core_table, entity_id, day) do update set touched_at = clock_timestamp();
