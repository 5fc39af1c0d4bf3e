-- Written by `python -m tests.golden` from warehouse/marts/ai_cost_daily; do not edit.
-- The statements are as psycopg gets them: %(name)s and %s stand for parameters, %% for a percent sign.

-- provision: the staging table
drop table if exists "staging"."marts__ai_cost_daily";
create unlogged table "staging"."marts__ai_cost_daily" (
        "date_day" date, "model_label" character varying(100), "user_id" uuid, "currency_code" character(3),
        "prompts" bigint, "tokens" numeric(28,0), "cost" numeric(38,12), "rated_tokens" numeric(28,0),
        "rated_cost" numeric(38,12), "cost_per_1k_tokens" numeric(38,12),
        "cost_per_1m_tokens" numeric(38,10)
);
comment on table "staging"."marts__ai_cost_daily" is 'Rows of marts.ai_cost_daily that were built and are not yet checked; emptied by each build.';

-- publish: bring marts.ai_cost_daily to what staging holds
-- bring the built days of a mart to what staging holds; replaced values of settled days go to ops.restatement
with gone as (
    delete from "marts"."ai_cost_daily" m
    where m."date_day" <@ any(%(ranges)s::daterange[])
      and not exists (select from "staging"."marts__ai_cost_daily" s where m."date_day" = s."date_day" and m."model_label" = s."model_label" and m."user_id" = s."user_id" and
                m."currency_code" = s."currency_code")
    returning m.*
), merged as (
    insert into "marts"."ai_cost_daily" as m ("date_day", "model_label", "user_id", "currency_code", "prompts", "tokens", "cost", "rated_tokens",
                "rated_cost", "cost_per_1k_tokens", "cost_per_1m_tokens")
    select "date_day", "model_label", "user_id", "currency_code", "prompts", "tokens", "cost", "rated_tokens",
                "rated_cost", "cost_per_1k_tokens", "cost_per_1m_tokens"
    from "staging"."marts__ai_cost_daily"
    on conflict ("date_day", "model_label", "user_id", "currency_code") do update
    set "prompts" = excluded."prompts", "tokens" = excluded."tokens", "cost" = excluded."cost",
                "rated_tokens" = excluded."rated_tokens", "rated_cost" = excluded."rated_cost",
                "cost_per_1k_tokens" = excluded."cost_per_1k_tokens",
                "cost_per_1m_tokens" = excluded."cost_per_1m_tokens"
    where row("m"."prompts", "m"."tokens", "m"."cost", "m"."rated_tokens", "m"."rated_cost",
                "m"."cost_per_1k_tokens", "m"."cost_per_1m_tokens")
        is distinct from row("excluded"."prompts", "excluded"."tokens", "excluded"."cost", "excluded"."rated_tokens",
                "excluded"."rated_cost", "excluded"."cost_per_1k_tokens", "excluded"."cost_per_1m_tokens")
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
    cross join lateral (select jsonb_object_agg(k, r.was -> k) as grain from unnest('{date_day,model_label,user_id,currency_code}'::text[]) k) g
    cross join lateral (select jsonb_object_agg(k, r.was -> k) as old_values
                        from unnest('{prompts,tokens,cost,rated_tokens,rated_cost,cost_per_1k_tokens,cost_per_1m_tokens}'::text[]) k) o
    cross join lateral (select jsonb_object_agg(k, r.now -> k) as new_values
                        from unnest('{prompts,tokens,cost,rated_tokens,rated_cost,cost_per_1k_tokens,cost_per_1m_tokens}'::text[]) k where r.now is not null) n
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
select (select count(*) from "staging"."marts__ai_cost_daily"), count(*) filter (where is_new), count(*) filter (where not is_new),
       (select count(*) from gone), (select count(*) from restated)
from merged;

-- publish: note where the mart stands
-- a window leaves the mart standing where it stood: what was touched meanwhile is still to be built
insert into ops.mart as o (mart, touched_through, as_of_day, zone, definition, complete_through, is_empty)
select %(mart)s, %(touched_through)s, %(as_of_day)s, %(zone)s, %(definition)s, %(complete_through)s,
       not exists (select from "marts"."ai_cost_daily")
where not %(is_window)s
on conflict (mart) do update
set touched_through = excluded.touched_through, as_of_day = excluded.as_of_day, zone = excluded.zone,
    definition = excluded.definition, complete_through = excluded.complete_through,
    is_empty = excluded.is_empty, built_at = clock_timestamp();

-- erase: touch the periods of rows that name a person
insert into ops.touched (core_table, entity_id, day)
            select distinct %(mart)s, %(entity)s, "date_day" from "marts"."ai_cost_daily" t
    where exists (select from unnest(%(needles)s::text[]) needle where position(needle in lower((t.*)::text)) > 0)
            on conflict (core_table, entity_id, day) do update set touched_at = clock_timestamp();
