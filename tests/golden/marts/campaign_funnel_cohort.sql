-- Written by `python -m tests.golden` from warehouse/marts/campaign_funnel_cohort; do not edit.
-- The statements are as psycopg gets them: %(name)s and %s stand for parameters, %% for a percent sign.

-- provision: the staging table
drop table if exists "staging"."marts__campaign_funnel_cohort";
create unlogged table "staging"."marts__campaign_funnel_cohort" (
        "campaign_id" uuid, "month_start_date" date, "currency_code" character(3),
        "campaign_name" character varying(255), "impressions" bigint, "clicks" bigint, "leads" bigint,
        "qualified" bigint, "converted" bigint, "won" bigint, "new_customers" bigint,
        "won_amount" numeric(25,2), "spend" numeric(27,4), "qualified_rate" numeric(38,6),
        "converted_rate" numeric(38,6), "won_rate" numeric(38,6), "cpl" numeric(38,6),
        "paid_cac" numeric(38,6), "crm_roas" numeric(38,6), "cohort_age_days" integer,
        "ai_cost" numeric(38,12), "paid_cac_incl_ai" numeric(38,6)
);
comment on table "staging"."marts__campaign_funnel_cohort" is 'Rows of marts.campaign_funnel_cohort that were built and are not yet checked; emptied by each build.';

-- publish: bring marts.campaign_funnel_cohort to what staging holds
-- bring the built days of a mart to what staging holds; replaced values of settled days go to ops.restatement
with gone as (
    delete from "marts"."campaign_funnel_cohort" m
    where m."month_start_date" <@ any(%(ranges)s::daterange[])
      and not exists (select from "staging"."marts__campaign_funnel_cohort" s where m."campaign_id" = s."campaign_id" and m."month_start_date" = s."month_start_date" and
                m."currency_code" = s."currency_code")
    returning m.*
), merged as (
    insert into "marts"."campaign_funnel_cohort" as m ("campaign_id", "month_start_date", "currency_code", "campaign_name", "impressions", "clicks",
                "leads", "qualified", "converted", "won", "new_customers", "won_amount", "spend", "qualified_rate",
                "converted_rate", "won_rate", "cpl", "paid_cac", "crm_roas", "cohort_age_days", "ai_cost",
                "paid_cac_incl_ai")
    select "campaign_id", "month_start_date", "currency_code", "campaign_name", "impressions", "clicks",
                "leads", "qualified", "converted", "won", "new_customers", "won_amount", "spend", "qualified_rate",
                "converted_rate", "won_rate", "cpl", "paid_cac", "crm_roas", "cohort_age_days", "ai_cost",
                "paid_cac_incl_ai"
    from "staging"."marts__campaign_funnel_cohort"
    on conflict ("campaign_id", "month_start_date", "currency_code") do update
    set "campaign_name" = excluded."campaign_name", "impressions" = excluded."impressions",
                "clicks" = excluded."clicks", "leads" = excluded."leads", "qualified" = excluded."qualified",
                "converted" = excluded."converted", "won" = excluded."won",
                "new_customers" = excluded."new_customers", "won_amount" = excluded."won_amount",
                "spend" = excluded."spend", "qualified_rate" = excluded."qualified_rate",
                "converted_rate" = excluded."converted_rate", "won_rate" = excluded."won_rate",
                "cpl" = excluded."cpl", "paid_cac" = excluded."paid_cac", "crm_roas" = excluded."crm_roas",
                "cohort_age_days" = excluded."cohort_age_days", "ai_cost" = excluded."ai_cost",
                "paid_cac_incl_ai" = excluded."paid_cac_incl_ai"
    where row("m"."campaign_name", "m"."impressions", "m"."clicks", "m"."leads", "m"."qualified", "m"."converted",
                "m"."won", "m"."new_customers", "m"."won_amount", "m"."spend", "m"."qualified_rate",
                "m"."converted_rate", "m"."won_rate", "m"."cpl", "m"."paid_cac", "m"."crm_roas",
                "m"."cohort_age_days", "m"."ai_cost", "m"."paid_cac_incl_ai")
        is distinct from row("excluded"."campaign_name", "excluded"."impressions", "excluded"."clicks", "excluded"."leads",
                "excluded"."qualified", "excluded"."converted", "excluded"."won", "excluded"."new_customers",
                "excluded"."won_amount", "excluded"."spend", "excluded"."qualified_rate",
                "excluded"."converted_rate", "excluded"."won_rate", "excluded"."cpl", "excluded"."paid_cac",
                "excluded"."crm_roas", "excluded"."cohort_age_days", "excluded"."ai_cost",
                "excluded"."paid_cac_incl_ai")
    returning "old"."campaign_id" is null as is_new, new."month_start_date" as day, old."month_start_date" as was_day,
              case when %(is_restated)s and "old"."campaign_id" is not null then to_jsonb(old) end as was,
              case when %(is_restated)s and "old"."campaign_id" is not null then to_jsonb(new) end as now
), replaced as (
    select case when %(is_restated)s then to_jsonb(gone) end as was, null::jsonb as now, gone."month_start_date" as day from gone
    union all
    select was, now, day from merged where not is_new
), restated as (
    insert into ops.restatement (mart, grain, old_values, new_values)
    select %(mart)s, g.grain, o.old_values, coalesce(n.new_values, '{}')
    from replaced r
    cross join lateral (select jsonb_object_agg(k, r.was -> k) as grain from unnest('{campaign_id,month_start_date,currency_code}'::text[]) k) g
    cross join lateral (select jsonb_object_agg(k, r.was -> k) as old_values
                        from unnest('{impressions,clicks,leads,qualified,converted,won,new_customers,won_amount,spend,qualified_rate,converted_rate,won_rate,cpl,paid_cac,crm_roas,ai_cost,paid_cac_incl_ai}'::text[]) k) o
    cross join lateral (select jsonb_object_agg(k, r.now -> k) as new_values
                        from unnest('{impressions,clicks,leads,qualified,converted,won,new_customers,won_amount,spend,qualified_rate,converted_rate,won_rate,cpl,paid_cac,crm_roas,ai_cost,paid_cac_incl_ai}'::text[]) k where r.now is not null) n
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
select (select count(*) from "staging"."marts__campaign_funnel_cohort"), count(*) filter (where is_new), count(*) filter (where not is_new),
       (select count(*) from gone), (select count(*) from restated)
from merged;

-- publish: note where the mart stands
-- a window leaves the mart standing where it stood: what was touched meanwhile is still to be built
insert into ops.mart as o (mart, touched_through, as_of_day, zone, definition, complete_through, is_empty)
select %(mart)s, %(touched_through)s, %(as_of_day)s, %(zone)s, %(definition)s, %(complete_through)s,
       not exists (select from "marts"."campaign_funnel_cohort")
where not %(is_window)s
on conflict (mart) do update
set touched_through = excluded.touched_through, as_of_day = excluded.as_of_day, zone = excluded.zone,
    definition = excluded.definition, complete_through = excluded.complete_through,
    is_empty = excluded.is_empty, built_at = clock_timestamp();

-- erase: touch the periods of rows that name a person
insert into ops.touched (core_table, entity_id, day)
            select distinct %(mart)s, %(entity)s, "month_start_date" from "marts"."campaign_funnel_cohort" t
    where exists (select from unnest(%(needles)s::text[]) needle where position(needle in lower((t.*)::text)) > 0)
            on conflict (core_table, entity_id, day) do update set touched_at = clock_timestamp();
