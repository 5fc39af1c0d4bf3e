-- Written by `python -m tests.golden` from warehouse/marts/content_production_monthly; do not edit.
-- The statements are as psycopg gets them: %(name)s and %s stand for parameters, %% for a percent sign.

-- provision: the staging table
drop table if exists "staging"."marts__content_production_monthly";
create unlogged table "staging"."marts__content_production_monthly" (
        "month_start_date" date, "model_label" character varying(100), "asset_type" text,
        "currency_code" character(3), "assets" bigint, "approved" bigint, "archived_never_approved" bigint,
        "archived_at_first_sight" bigint, "drafts" bigint, "approval_rate" numeric(38,6),
        "assets_with_cost" bigint, "linked_cost" numeric(38,12), "cost_per_asset" numeric(38,12),
        "cost_per_approved_asset" numeric(38,12), "median_days_to_approval" numeric(10,2),
        "unlinked_cost" numeric(38,12)
);
comment on table "staging"."marts__content_production_monthly" is 'Rows of marts.content_production_monthly that were built and are not yet checked; emptied by each build.';

-- publish: bring marts.content_production_monthly to what staging holds
-- bring the built days of a mart to what staging holds; replaced values of settled days go to ops.restatement
with gone as (
    delete from "marts"."content_production_monthly" m
    where m."month_start_date" <@ any(%(ranges)s::daterange[])
      and not exists (select from "staging"."marts__content_production_monthly" s where m."month_start_date" = s."month_start_date" and m."model_label" = s."model_label" and
                m."asset_type" = s."asset_type" and m."currency_code" = s."currency_code")
    returning m.*
), merged as (
    insert into "marts"."content_production_monthly" as m ("month_start_date", "model_label", "asset_type", "currency_code", "assets", "approved",
                "archived_never_approved", "archived_at_first_sight", "drafts", "approval_rate", "assets_with_cost",
                "linked_cost", "cost_per_asset", "cost_per_approved_asset", "median_days_to_approval",
                "unlinked_cost")
    select "month_start_date", "model_label", "asset_type", "currency_code", "assets", "approved",
                "archived_never_approved", "archived_at_first_sight", "drafts", "approval_rate", "assets_with_cost",
                "linked_cost", "cost_per_asset", "cost_per_approved_asset", "median_days_to_approval",
                "unlinked_cost"
    from "staging"."marts__content_production_monthly"
    on conflict ("month_start_date", "model_label", "asset_type", "currency_code") do update
    set "assets" = excluded."assets", "approved" = excluded."approved",
                "archived_never_approved" = excluded."archived_never_approved",
                "archived_at_first_sight" = excluded."archived_at_first_sight", "drafts" = excluded."drafts",
                "approval_rate" = excluded."approval_rate", "assets_with_cost" = excluded."assets_with_cost",
                "linked_cost" = excluded."linked_cost", "cost_per_asset" = excluded."cost_per_asset",
                "cost_per_approved_asset" = excluded."cost_per_approved_asset",
                "median_days_to_approval" = excluded."median_days_to_approval",
                "unlinked_cost" = excluded."unlinked_cost"
    where row("m"."assets", "m"."approved", "m"."archived_never_approved", "m"."archived_at_first_sight",
                "m"."drafts", "m"."approval_rate", "m"."assets_with_cost", "m"."linked_cost", "m"."cost_per_asset",
                "m"."cost_per_approved_asset", "m"."median_days_to_approval", "m"."unlinked_cost")
        is distinct from row("excluded"."assets", "excluded"."approved", "excluded"."archived_never_approved",
                "excluded"."archived_at_first_sight", "excluded"."drafts", "excluded"."approval_rate",
                "excluded"."assets_with_cost", "excluded"."linked_cost", "excluded"."cost_per_asset",
                "excluded"."cost_per_approved_asset", "excluded"."median_days_to_approval",
                "excluded"."unlinked_cost")
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
    cross join lateral (select jsonb_object_agg(k, r.was -> k) as grain from unnest('{month_start_date,model_label,asset_type,currency_code}'::text[]) k) g
    cross join lateral (select jsonb_object_agg(k, r.was -> k) as old_values
                        from unnest('{assets,approved,archived_never_approved,archived_at_first_sight,drafts,approval_rate,assets_with_cost,linked_cost,cost_per_asset,cost_per_approved_asset,median_days_to_approval,unlinked_cost}'::text[]) k) o
    cross join lateral (select jsonb_object_agg(k, r.now -> k) as new_values
                        from unnest('{assets,approved,archived_never_approved,archived_at_first_sight,drafts,approval_rate,assets_with_cost,linked_cost,cost_per_asset,cost_per_approved_asset,median_days_to_approval,unlinked_cost}'::text[]) k where r.now is not null) n
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
select (select count(*) from "staging"."marts__content_production_monthly"), count(*) filter (where is_new), count(*) filter (where not is_new),
       (select count(*) from gone), (select count(*) from restated)
from merged;

-- publish: note where the mart stands
-- a window leaves the mart standing where it stood: what was touched meanwhile is still to be built
insert into ops.mart as o (mart, touched_through, as_of_day, zone, definition, complete_through, is_empty)
select %(mart)s, %(touched_through)s, %(as_of_day)s, %(zone)s, %(definition)s, %(complete_through)s,
       not exists (select from "marts"."content_production_monthly")
where not %(is_window)s
on conflict (mart) do update
set touched_through = excluded.touched_through, as_of_day = excluded.as_of_day, zone = excluded.zone,
    definition = excluded.definition, complete_through = excluded.complete_through,
    is_empty = excluded.is_empty, built_at = clock_timestamp();

-- erase: touch the periods of rows that name a person
insert into ops.touched (core_table, entity_id, day)
            select distinct %(mart)s, %(entity)s, "month_start_date" from "marts"."content_production_monthly" t
    where exists (select from unnest(%(needles)s::text[]) needle where position(needle in lower((t.*)::text)) > 0)
            on conflict (core_table, entity_id, day) do update set touched_at = clock_timestamp();
