-- Written by `python -m tests.golden` from warehouse/marts/subscription_mrr_monthly; do not edit.
-- The statements are as psycopg gets them: %(name)s and %s stand for parameters, %% for a percent sign.

-- provision: the staging table
drop table if exists "staging"."marts__subscription_mrr_monthly";
create unlogged table "staging"."marts__subscription_mrr_monthly" (
        "user_id" uuid, "month_start_date" date, "currency_code" character(3), "plans" text,
        "opening_mrr" numeric(25,2), "mrr" numeric(25,2), "change" numeric(25,2),
        "movement" character varying(20), "is_provisional" boolean
);
comment on table "staging"."marts__subscription_mrr_monthly" is 'Rows of marts.subscription_mrr_monthly that were built and are not yet checked; emptied by each build.';

-- publish: bring marts.subscription_mrr_monthly to what staging holds
-- bring the built days of a mart to what staging holds; replaced values of settled days go to ops.restatement
with gone as (
    delete from "marts"."subscription_mrr_monthly" m
    where m."month_start_date" <@ any(%(ranges)s::daterange[])
      and not exists (select from "staging"."marts__subscription_mrr_monthly" s where m."user_id" = s."user_id" and m."month_start_date" = s."month_start_date" and
                m."currency_code" = s."currency_code")
    returning m.*
), merged as (
    insert into "marts"."subscription_mrr_monthly" as m ("user_id", "month_start_date", "currency_code", "plans", "opening_mrr", "mrr", "change", "movement",
                "is_provisional")
    select "user_id", "month_start_date", "currency_code", "plans", "opening_mrr", "mrr", "change", "movement",
                "is_provisional"
    from "staging"."marts__subscription_mrr_monthly"
    on conflict ("user_id", "month_start_date", "currency_code") do update
    set "plans" = excluded."plans", "opening_mrr" = excluded."opening_mrr", "mrr" = excluded."mrr",
                "change" = excluded."change", "movement" = excluded."movement",
                "is_provisional" = excluded."is_provisional"
    where row("m"."plans", "m"."opening_mrr", "m"."mrr", "m"."change", "m"."movement", "m"."is_provisional")
        is distinct from row("excluded"."plans", "excluded"."opening_mrr", "excluded"."mrr", "excluded"."change",
                "excluded"."movement", "excluded"."is_provisional")
    returning "old"."user_id" is null as is_new, new."month_start_date" as day, old."month_start_date" as was_day,
              case when %(is_restated)s and "old"."user_id" is not null then to_jsonb(old) end as was,
              case when %(is_restated)s and "old"."user_id" is not null then to_jsonb(new) end as now
), replaced as (
    select case when %(is_restated)s then to_jsonb(gone) end as was, null::jsonb as now, gone."month_start_date" as day from gone
    union all
    select was, now, day from merged where not is_new
), restated as (
    insert into ops.restatement (mart, grain, old_values, new_values)
    select %(mart)s, g.grain, o.old_values, coalesce(n.new_values, '{}')
    from replaced r
    cross join lateral (select jsonb_object_agg(k, r.was -> k) as grain from unnest('{user_id,month_start_date,currency_code}'::text[]) k) g
    cross join lateral (select jsonb_object_agg(k, r.was -> k) as old_values
                        from unnest('{opening_mrr,mrr,change}'::text[]) k) o
    cross join lateral (select jsonb_object_agg(k, r.now -> k) as new_values
                        from unnest('{opening_mrr,mrr,change}'::text[]) k where r.now is not null) n
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
select (select count(*) from "staging"."marts__subscription_mrr_monthly"), count(*) filter (where is_new), count(*) filter (where not is_new),
       (select count(*) from gone), (select count(*) from restated)
from merged;

-- publish: note where the mart stands
-- a window leaves the mart standing where it stood: what was touched meanwhile is still to be built
insert into ops.mart as o (mart, touched_through, as_of_day, zone, definition, complete_through, is_empty)
select %(mart)s, %(touched_through)s, %(as_of_day)s, %(zone)s, %(definition)s, %(complete_through)s,
       not exists (select from "marts"."subscription_mrr_monthly")
where not %(is_window)s
on conflict (mart) do update
set touched_through = excluded.touched_through, as_of_day = excluded.as_of_day, zone = excluded.zone,
    definition = excluded.definition, complete_through = excluded.complete_through,
    is_empty = excluded.is_empty, built_at = clock_timestamp();

-- erase: touch the periods of rows that name a person
insert into ops.touched (core_table, entity_id, day)
            select distinct %(mart)s, %(entity)s, "month_start_date" from "marts"."subscription_mrr_monthly" t
    where exists (select from unnest(%(needles)s::text[]) needle where position(needle in lower((t.*)::text)) > 0)
            on conflict (core_table, entity_id, day) do update set touched_at = clock_timestamp();
