-- Written by `python -m tests.golden` from warehouse/marts/sales_performance_monthly; do not edit.
-- The statements are as psycopg gets them: %(name)s and %s stand for parameters, %% for a percent sign.

-- provision: the staging table
drop table if exists "staging"."marts__sales_performance_monthly";
create unlogged table "staging"."marts__sales_performance_monthly" (
        "month_start_date" date, "owner_user_id" uuid, "pipeline_code" character varying(50),
        "currency_code" character(3), "won" bigint, "lost" bigint, "won_amount" numeric(25,2),
        "lost_amount" numeric(25,2), "win_rate" numeric(38,6), "value_win_rate" numeric(38,6),
        "avg_days_to_close" numeric(38,6), "median_days_to_close" numeric(10,2)
);
comment on table "staging"."marts__sales_performance_monthly" is 'Rows of marts.sales_performance_monthly that were built and are not yet checked; emptied by each build.';

-- publish: bring marts.sales_performance_monthly to what staging holds
-- bring the built days of a mart to what staging holds; replaced values of settled days go to ops.restatement
with gone as (
    delete from "marts"."sales_performance_monthly" m
    where m."month_start_date" <@ any(%(ranges)s::daterange[])
      and not exists (select from "staging"."marts__sales_performance_monthly" s where m."month_start_date" = s."month_start_date" and m."owner_user_id" = s."owner_user_id" and
                m."pipeline_code" = s."pipeline_code" and m."currency_code" = s."currency_code")
    returning m.*
), merged as (
    insert into "marts"."sales_performance_monthly" as m ("month_start_date", "owner_user_id", "pipeline_code", "currency_code", "won", "lost", "won_amount",
                "lost_amount", "win_rate", "value_win_rate", "avg_days_to_close", "median_days_to_close")
    select "month_start_date", "owner_user_id", "pipeline_code", "currency_code", "won", "lost", "won_amount",
                "lost_amount", "win_rate", "value_win_rate", "avg_days_to_close", "median_days_to_close"
    from "staging"."marts__sales_performance_monthly"
    on conflict ("month_start_date", "owner_user_id", "pipeline_code", "currency_code") do update
    set "won" = excluded."won", "lost" = excluded."lost", "won_amount" = excluded."won_amount",
                "lost_amount" = excluded."lost_amount", "win_rate" = excluded."win_rate",
                "value_win_rate" = excluded."value_win_rate", "avg_days_to_close" = excluded."avg_days_to_close",
                "median_days_to_close" = excluded."median_days_to_close"
    where row("m"."won", "m"."lost", "m"."won_amount", "m"."lost_amount", "m"."win_rate", "m"."value_win_rate",
                "m"."avg_days_to_close", "m"."median_days_to_close")
        is distinct from row("excluded"."won", "excluded"."lost", "excluded"."won_amount", "excluded"."lost_amount",
                "excluded"."win_rate", "excluded"."value_win_rate", "excluded"."avg_days_to_close",
                "excluded"."median_days_to_close")
    returning "old"."month_start_date" is null as is_new, new."month_start_date" as day, old."month_start_date" as was_day,
              case when %(is_restated)s and "old"."month_start_date" is not null then to_jsonb(old) end as was,
              case when %(is_restated)s and "old"."month_start_date" is not null then to_jsonb(new) end as now
), replaced as (
    select case when %(is_restated)s then to_jsonb(gone) end as was, null::jsonb as now, gone."month_start_date" as day from gone
    union all
    select was, now, day from merged where not is_new
), restated as (
    insert into ops.restatement (mart, grain, old_values, new_values)
    select %(mart)s, g.grain, o.old_values, coalesce(n.new_values, '{}')
    from replaced r
    cross join lateral (select jsonb_object_agg(k, r.was -> k) as grain from unnest('{month_start_date,owner_user_id,pipeline_code,currency_code}'::text[]) k) g
    cross join lateral (select jsonb_object_agg(k, r.was -> k) as old_values
                        from unnest('{won,lost,won_amount,lost_amount,win_rate,value_win_rate,avg_days_to_close,median_days_to_close}'::text[]) k) o
    cross join lateral (select jsonb_object_agg(k, r.now -> k) as new_values
                        from unnest('{won,lost,won_amount,lost_amount,win_rate,value_win_rate,avg_days_to_close,median_days_to_close}'::text[]) k where r.now is not null) n
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
select (select count(*) from "staging"."marts__sales_performance_monthly"), count(*) filter (where is_new), count(*) filter (where not is_new),
       (select count(*) from gone), (select count(*) from restated)
from merged;

-- publish: note where the mart stands
-- a window leaves the mart standing where it stood: what was touched meanwhile is still to be built
insert into ops.mart as o (mart, touched_through, as_of_day, zone, definition, complete_through, is_empty)
select %(mart)s, %(touched_through)s, %(as_of_day)s, %(zone)s, %(definition)s, %(complete_through)s,
       not exists (select from "marts"."sales_performance_monthly")
where not %(is_window)s
on conflict (mart) do update
set touched_through = excluded.touched_through, as_of_day = excluded.as_of_day, zone = excluded.zone,
    definition = excluded.definition, complete_through = excluded.complete_through,
    is_empty = excluded.is_empty, built_at = clock_timestamp();

-- erase: touch the periods of rows that name a person
insert into ops.touched (core_table, entity_id, day)
            select distinct %(mart)s, %(entity)s, "month_start_date" from "marts"."sales_performance_monthly" t
    where exists (select from unnest(%(needles)s::text[]) needle where position(needle in lower((t.*)::text)) > 0)
            on conflict (core_table, entity_id, day) do update set touched_at = clock_timestamp();
