-- Written by `python -m tests.golden` from warehouse/marts/campaign_performance_daily; do not edit.
-- The statements are as psycopg gets them: %(name)s and %s stand for parameters, %% for a percent sign.

-- provision: the staging table
drop table if exists "staging"."marts__campaign_performance_daily";
create unlogged table "staging"."marts__campaign_performance_daily" (
        "campaign_id" uuid, "date_day" date, "currency_code" character(3),
        "campaign_name" character varying(255), "user_id" uuid, "impressions" bigint, "clicks" bigint,
        "spend" numeric(27,4), "conversions" bigint, "ctr" numeric(38,6), "cpc" numeric(38,6),
        "cpm" numeric(38,6), "cvr" numeric(38,6), "cpa" numeric(38,6), "has_data" boolean,
        "is_provisional" boolean
);
comment on table "staging"."marts__campaign_performance_daily" is 'Rows of marts.campaign_performance_daily that were built and are not yet checked; emptied by each build.';

-- publish: bring marts.campaign_performance_daily to what staging holds
-- bring the built days of a mart to what staging holds; replaced values of settled days go to ops.restatement
with gone as (
    delete from "marts"."campaign_performance_daily" m
    where m."date_day" <@ any(%(ranges)s::daterange[])
      and not exists (select from "staging"."marts__campaign_performance_daily" s where m."campaign_id" = s."campaign_id" and m."date_day" = s."date_day" and
                m."currency_code" = s."currency_code")
    returning m.*
), merged as (
    insert into "marts"."campaign_performance_daily" as m ("campaign_id", "date_day", "currency_code", "campaign_name", "user_id", "impressions", "clicks",
                "spend", "conversions", "ctr", "cpc", "cpm", "cvr", "cpa", "has_data", "is_provisional")
    select "campaign_id", "date_day", "currency_code", "campaign_name", "user_id", "impressions", "clicks",
                "spend", "conversions", "ctr", "cpc", "cpm", "cvr", "cpa", "has_data", "is_provisional"
    from "staging"."marts__campaign_performance_daily"
    on conflict ("campaign_id", "date_day", "currency_code") do update
    set "campaign_name" = excluded."campaign_name", "user_id" = excluded."user_id",
                "impressions" = excluded."impressions", "clicks" = excluded."clicks", "spend" = excluded."spend",
                "conversions" = excluded."conversions", "ctr" = excluded."ctr", "cpc" = excluded."cpc",
                "cpm" = excluded."cpm", "cvr" = excluded."cvr", "cpa" = excluded."cpa",
                "has_data" = excluded."has_data", "is_provisional" = excluded."is_provisional"
    where row("m"."campaign_name", "m"."user_id", "m"."impressions", "m"."clicks", "m"."spend", "m"."conversions",
                "m"."ctr", "m"."cpc", "m"."cpm", "m"."cvr", "m"."cpa", "m"."has_data", "m"."is_provisional")
        is distinct from row("excluded"."campaign_name", "excluded"."user_id", "excluded"."impressions", "excluded"."clicks",
                "excluded"."spend", "excluded"."conversions", "excluded"."ctr", "excluded"."cpc", "excluded"."cpm",
                "excluded"."cvr", "excluded"."cpa", "excluded"."has_data", "excluded"."is_provisional")
    returning "old"."campaign_id" is null as is_new, new."date_day" as day, old."date_day" as was_day,
              case when %(is_restated)s and "old"."campaign_id" is not null then to_jsonb(old) end as was,
              case when %(is_restated)s and "old"."campaign_id" is not null then to_jsonb(new) end as now
), replaced as (
    select case when %(is_restated)s then to_jsonb(gone) end as was, null::jsonb as now, gone."date_day" as day from gone
    union all
    select was, now, day from merged where not is_new
), restated as (
    insert into ops.restatement (mart, grain, old_values, new_values)
    select %(mart)s, g.grain, o.old_values, coalesce(n.new_values, '{}')
    from replaced r
    cross join lateral (select jsonb_object_agg(k, r.was -> k) as grain from unnest('{campaign_id,date_day,currency_code}'::text[]) k) g
    cross join lateral (select jsonb_object_agg(k, r.was -> k) as old_values
                        from unnest('{impressions,clicks,spend,conversions,ctr,cpc,cpm,cvr,cpa}'::text[]) k) o
    cross join lateral (select jsonb_object_agg(k, r.now -> k) as new_values
                        from unnest('{impressions,clicks,spend,conversions,ctr,cpc,cpm,cvr,cpa}'::text[]) k where r.now is not null) n
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
select (select count(*) from "staging"."marts__campaign_performance_daily"), count(*) filter (where is_new), count(*) filter (where not is_new),
       (select count(*) from gone), (select count(*) from restated)
from merged;

-- publish: note where the mart stands
-- a window leaves the mart standing where it stood: what was touched meanwhile is still to be built
insert into ops.mart as o (mart, touched_through, as_of_day, zone, definition, complete_through, is_empty)
select %(mart)s, %(touched_through)s, %(as_of_day)s, %(zone)s, %(definition)s, %(complete_through)s,
       not exists (select from "marts"."campaign_performance_daily")
where not %(is_window)s
on conflict (mart) do update
set touched_through = excluded.touched_through, as_of_day = excluded.as_of_day, zone = excluded.zone,
    definition = excluded.definition, complete_through = excluded.complete_through,
    is_empty = excluded.is_empty, built_at = clock_timestamp();

-- erase: touch the periods of rows that name a person
insert into ops.touched (core_table, entity_id, day)
            select distinct %(mart)s, %(entity)s, "date_day" from "marts"."campaign_performance_daily" t
    where exists (select from unnest(%(needles)s::text[]) needle where position(needle in lower((t.*)::text)) > 0)
            on conflict (core_table, entity_id, day) do update set touched_at = clock_timestamp();
