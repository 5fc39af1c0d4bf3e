-- Written by `python -m tests.golden` from warehouse/marts/lead_attribution; do not edit.
-- The statements are as psycopg gets them: %(name)s and %s stand for parameters, %% for a percent sign.

-- provision: the staging table
drop table if exists "staging"."marts__lead_attribution";
create unlogged table "staging"."marts__lead_attribution" (
        "lead_id" uuid, "date_day" date, "owner_user_id" uuid, "lead_source" character varying(40),
        "campaign_id" uuid, "campaign_name" character varying(255), "ad_id" uuid,
        "attribution_method" character varying(20), "created_at" timestamp with time zone,
        "is_qualified" boolean, "is_converted" boolean, "is_won" boolean,
        "qualified_at" timestamp with time zone, "converted_at" timestamp with time zone,
        "opportunity_id" uuid, "closed_at" timestamp with time zone, "currency_code" character(3),
        "won_amount" numeric(25,2), "is_new_customer" boolean
);
comment on table "staging"."marts__lead_attribution" is 'Rows of marts.lead_attribution that were built and are not yet checked; emptied by each build.';

-- publish: bring marts.lead_attribution to what staging holds
-- bring the built days of a mart to what staging holds; replaced values of settled days go to ops.restatement
with gone as (
    delete from "marts"."lead_attribution" m
    where m."date_day" <@ any(%(ranges)s::daterange[])
      and not exists (select from "staging"."marts__lead_attribution" s where m."lead_id" = s."lead_id")
    returning m.*
), merged as (
    insert into "marts"."lead_attribution" as m ("lead_id", "date_day", "owner_user_id", "lead_source", "campaign_id", "campaign_name", "ad_id",
                "attribution_method", "created_at", "is_qualified", "is_converted", "is_won", "qualified_at",
                "converted_at", "opportunity_id", "closed_at", "currency_code", "won_amount", "is_new_customer")
    select "lead_id", "date_day", "owner_user_id", "lead_source", "campaign_id", "campaign_name", "ad_id",
                "attribution_method", "created_at", "is_qualified", "is_converted", "is_won", "qualified_at",
                "converted_at", "opportunity_id", "closed_at", "currency_code", "won_amount", "is_new_customer"
    from "staging"."marts__lead_attribution"
    on conflict ("lead_id") do update
    set "date_day" = excluded."date_day", "owner_user_id" = excluded."owner_user_id",
                "lead_source" = excluded."lead_source", "campaign_id" = excluded."campaign_id",
                "campaign_name" = excluded."campaign_name", "ad_id" = excluded."ad_id",
                "attribution_method" = excluded."attribution_method", "created_at" = excluded."created_at",
                "is_qualified" = excluded."is_qualified", "is_converted" = excluded."is_converted",
                "is_won" = excluded."is_won", "qualified_at" = excluded."qualified_at",
                "converted_at" = excluded."converted_at", "opportunity_id" = excluded."opportunity_id",
                "closed_at" = excluded."closed_at", "currency_code" = excluded."currency_code",
                "won_amount" = excluded."won_amount", "is_new_customer" = excluded."is_new_customer"
    where row("m"."date_day", "m"."owner_user_id", "m"."lead_source", "m"."campaign_id", "m"."campaign_name",
                "m"."ad_id", "m"."attribution_method", "m"."created_at", "m"."is_qualified", "m"."is_converted",
                "m"."is_won", "m"."qualified_at", "m"."converted_at", "m"."opportunity_id", "m"."closed_at",
                "m"."currency_code", "m"."won_amount", "m"."is_new_customer")
        is distinct from row("excluded"."date_day", "excluded"."owner_user_id", "excluded"."lead_source",
                "excluded"."campaign_id", "excluded"."campaign_name", "excluded"."ad_id",
                "excluded"."attribution_method", "excluded"."created_at", "excluded"."is_qualified",
                "excluded"."is_converted", "excluded"."is_won", "excluded"."qualified_at", "excluded"."converted_at",
                "excluded"."opportunity_id", "excluded"."closed_at", "excluded"."currency_code",
                "excluded"."won_amount", "excluded"."is_new_customer")
    returning "old"."lead_id" is null as is_new, new."date_day" as day, old."date_day" as was_day,
              case when %(is_restated)s and "old"."lead_id" is not null then to_jsonb(old) end as was,
              case when %(is_restated)s and "old"."lead_id" is not null then to_jsonb(new) end as now
), replaced as (
    select case when %(is_restated)s then to_jsonb(gone) end as was, null::jsonb as now, gone."date_day" as day from gone
    union all
    select was, now, day from merged where not is_new
), restated as (
    insert into ops.restatement (mart, grain, old_values, new_values)
    select %(mart)s, g.grain, o.old_values, coalesce(n.new_values, '{}')
    from replaced r
    cross join lateral (select jsonb_object_agg(k, r.was -> k) as grain from unnest('{lead_id}'::text[]) k) g
    cross join lateral (select jsonb_object_agg(k, r.was -> k) as old_values
                        from unnest('{won_amount}'::text[]) k) o
    cross join lateral (select jsonb_object_agg(k, r.now -> k) as new_values
                        from unnest('{won_amount}'::text[]) k where r.now is not null) n
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
select (select count(*) from "staging"."marts__lead_attribution"), count(*) filter (where is_new), count(*) filter (where not is_new),
       (select count(*) from gone), (select count(*) from restated)
from merged;

-- publish: note where the mart stands
-- a window leaves the mart standing where it stood: what was touched meanwhile is still to be built
insert into ops.mart as o (mart, touched_through, as_of_day, zone, definition, complete_through, is_empty)
select %(mart)s, %(touched_through)s, %(as_of_day)s, %(zone)s, %(definition)s, %(complete_through)s,
       not exists (select from "marts"."lead_attribution")
where not %(is_window)s
on conflict (mart) do update
set touched_through = excluded.touched_through, as_of_day = excluded.as_of_day, zone = excluded.zone,
    definition = excluded.definition, complete_through = excluded.complete_through,
    is_empty = excluded.is_empty, built_at = clock_timestamp();

-- erase: touch the periods of rows that name a person
insert into ops.touched (core_table, entity_id, day)
            select distinct %(mart)s, %(entity)s, "date_day" from "marts"."lead_attribution" t
    where exists (select from unnest(%(needles)s::text[]) needle where position(needle in lower((t.*)::text)) > 0)
            on conflict (core_table, entity_id, day) do update set touched_at = clock_timestamp();
