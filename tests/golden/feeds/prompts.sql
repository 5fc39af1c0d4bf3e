-- Written by `python -m tests.golden` from warehouse/core/prompts; do not edit.
-- The statements are as psycopg gets them: %(name)s and %s stand for parameters, %% for a percent sign.

-- provision: the staging table
drop table if exists "staging"."promptcontent__prompts";
create unlogged table "staging"."promptcontent__prompts" (
        "prompt_id" text, "user_id" uuid, "tool" text, "input_length" integer, "input_hmac" bytea,
        "output_length" integer, "output_hmac" bytea, "pii_kid" integer, "tokens_used" bigint,
        "cost_amount" numeric(24,12), "prompted_at" timestamp with time zone, "asset_id" text,
        "deleted_at" timestamp with time zone, "_load_id" bigint not null,
        "_row" bigint not null generated always as identity, "_rules" text[], "_misfits" text[]
);
comment on table "staging"."promptcontent__prompts" is 'Rows of promptcontent.prompt_history on their way into core.prompts; emptied by each load.';

-- stage: empty the staging table
truncate "staging"."promptcontent__prompts";

-- stage: copy rows into staging
copy "staging"."promptcontent__prompts" ("prompt_id", "user_id", "tool", "input_length", "input_hmac", "output_length", "output_hmac",
                "pii_kid", "tokens_used", "cost_amount", "prompted_at", "asset_id", "deleted_at", _misfits, _load_id) from stdin (format binary); -- noqa

-- stage: keep the last row of each key
delete from "staging"."promptcontent__prompts" s
using (select "prompt_id", max(_row) as _row from "staging"."promptcontent__prompts" group by "prompt_id" having count(*) > 1) as last
where last."prompt_id" = s."prompt_id" and s._row < last._row;

-- stage: complete deletes from core
update "staging"."promptcontent__prompts" s
set "user_id" = c."user_id", "tool" = c."tool", "input_length" = c."input_length",
        "input_hmac" = c."input_hmac", "output_length" = c."output_length", "output_hmac" = c."output_hmac",
        "pii_kid" = c."pii_kid", "tokens_used" = c."tokens_used", "cost_amount" = c."cost_amount",
        "prompted_at" = c."prompted_at", "asset_id" = c."asset_id"
from "core"."prompts" c
where s.deleted_at is not null and c."prompt_id" = s."prompt_id";

-- stage: drop deletes of rows that core never had
with gone as (
    delete from "staging"."promptcontent__prompts" s
    where s.deleted_at is not null and not exists (select from "core"."prompts" c where c."prompt_id" = s."prompt_id")
    returning s."prompt_id"::text as key
), closed as (
    update ops.quarantine q set released_at = clock_timestamp(), release_reason = 'deleted'
    from gone where q.feed = %(feed)s and q.key = gone.key and q.released_at is null
)
select count(*) from gone;

-- suppress: find rows of erased persons that core still has
select x.key, x.person_hmac, x.pii_kid, x.row_changed_at
from ops.suppression x join "staging"."promptcontent__prompts" s on x.key = s."prompt_id"::text
where x.feed = %(feed)s and exists (select from "core"."prompts" c where c."prompt_id" = s."prompt_id");

-- suppress: drop rows of erased persons
delete from "staging"."promptcontent__prompts" s using ops.suppression x where x.feed = %(feed)s and x.key = s."prompt_id"::text;

-- suppress: replace references to erased persons
update "staging"."promptcontent__prompts"
set "user_id" = case when "user_id"::text in (select key from ops.suppression where length(key) >= 16)
            then '00000000-0000-0000-0000-000000000000' else "user_id" end,
        "asset_id" = case when "asset_id"::text in (select key from ops.suppression where length(key) >= 16)
            then '00000000-0000-0000-0000-000000000000' else "asset_id" end
where "user_id"::text in (select key from ops.suppression where length(key) >= 16) or
        "asset_id"::text in (select key from ops.suppression where length(key) >= 16);

-- stage: drop rows that are in quarantine unchanged
delete from "staging"."promptcontent__prompts" s using ops.quarantine q
where q.feed = %(feed)s
  and q.key = coalesce(s."prompt_id"::text, 'without key ' || md5((to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end)::text))
  and q.released_at is null and not q.is_waived
  and q.suite_checksum = %(suite_checksum)s and q.last_tried_at >= %(read_at)s - interval '1 day'
  and q.payload = to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end;

-- stage: analyze
analyze "staging"."promptcontent__prompts" ("prompt_id", "prompted_at");

-- stage: drop rows that equal core
delete from "staging"."promptcontent__prompts" s using "core"."prompts" c
where s."prompted_at" <= %(seen_through)s and s._misfits is null
  and c."prompt_id" = s."prompt_id"
  and row("s"."prompt_id", "s"."user_id", "s"."tool", "s"."input_length", "s"."input_hmac",
        "s"."output_length", "s"."output_hmac", "s"."pii_kid", "s"."tokens_used", "s"."cost_amount",
        "s"."prompted_at", "s"."asset_id", "s"."deleted_at")
      is not distinct from row("c"."prompt_id", "c"."user_id", "c"."tool", "c"."input_length", "c"."input_hmac",
        "c"."output_length", "c"."output_hmac", "c"."pii_kid", "c"."tokens_used", "c"."cost_amount",
        "c"."prompted_at", "c"."asset_id", "c"."deleted_at")
  and not exists (
      select from ops.quarantine q where q.feed = %(feed)s and q.key = s."prompt_id"::text and q.released_at is null
  );

-- check: count the staged rows
select count(*) from "staging"."promptcontent__prompts" where _load_id = %(extraction)s;

-- check: clear earlier verdicts
update "staging"."promptcontent__prompts" set _rules = _misfits where _rules is distinct from _misfits;

-- check: mark rows by number
update "staging"."promptcontent__prompts" set _rules = array_append(_rules, %(rule)s) where _row = any(%(rows)s);

-- check: let rows pass that were released by hand
update "staging"."promptcontent__prompts" s set _rules = null from ops.quarantine q
where s._rules is not null and q.feed = %(feed)s and q.key = s."prompt_id"::text
  and q.is_waived
  and (q.payload = to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end
       -- hashed with another key since, but the same version: the cursor is part of it
       or q.payload -> 'pii_kid' <> to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end -> 'pii_kid'
          and q.payload - '{input_hmac,output_hmac,pii_kid}'::text[] = to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end - '{input_hmac,output_hmac,pii_kid}'::text[]);

-- check: let deletes pass
update "staging"."promptcontent__prompts" set _rules = null where deleted_at is not null and _rules is not null;

-- check: count the marked rows
select count(*) from "staging"."promptcontent__prompts" where _rules is not null;

-- publish: release rows from quarantine
update ops.quarantine q
set released_at = clock_timestamp(), release_reason = case when s.deleted_at is not null then 'deleted' when q.is_waived then 'waived' else 'repaired' end
from "staging"."promptcontent__prompts" s
where s._rules is null and q.feed = %(feed)s and q.key = s."prompt_id"::text and q.released_at is null;

-- publish: move marked rows to quarantine
insert into ops.quarantine as q (feed, key, extraction, rules, suite_checksum, payload, is_core_stale)
select distinct on (coalesce(s."prompt_id"::text, 'without key ' || md5((to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end)::text)))
       %(feed)s,
       coalesce(s."prompt_id"::text, 'without key ' || md5((to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end)::text)),
       %(extraction)s, s._rules, %(suite_checksum)s,
       to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end,
       exists (select from "core"."prompts" c where c."prompt_id" = s."prompt_id")
from "staging"."promptcontent__prompts" s where s._rules is not null
on conflict (feed, key) where released_at is null do update
set extraction = excluded.extraction, rules = excluded.rules, suite_checksum = excluded.suite_checksum,
    payload = excluded.payload, is_core_stale = excluded.is_core_stale, is_waived = false,
    last_tried_at = clock_timestamp(), tries = q.tries + 1;

-- publish: a first load of core.prompts
select ops.insert_first_rows('prompts', 'promptcontent__prompts', %(extraction)s);

-- publish: note the days of a first load
with merged as (
    select array["new"."user_id"::text, "new"."asset_id"::text] as "_new_entities",
        array[("new"."prompted_at" at time zone 'UTC')::date] as "_new_days"
    from "staging"."promptcontent__prompts" as new where _rules is null
)
insert into ops.touched (core_table, entity_id, day)
    select distinct %(feed)s, entity, day
    from (
        -- few days of many rows: unique first
        select distinct _new_entities, _new_days from merged
    ) x(entities, days), unnest(entities) entity, unnest(days) day
    where entity is not null and day is not null
    order by entity, day
    on conflict (core_table, entity_id, day) do update set touched_at = clock_timestamp();

-- publish: upsert into core.prompts
with merged as (
    insert into "core"."prompts" as c ("prompt_id", "user_id", "tool", "input_length", "input_hmac", "output_length", "output_hmac",
        "pii_kid", "tokens_used", "cost_amount", "prompted_at", "asset_id", "deleted_at",
        _extraction, _loaded_at)
    select "prompt_id", "user_id", "tool", "input_length", "input_hmac", "output_length", "output_hmac",
        "pii_kid", "tokens_used", "cost_amount", "prompted_at", "asset_id", "deleted_at",
        %(extraction)s, clock_timestamp()
    from "staging"."promptcontent__prompts" where _rules is null order by "prompt_id"
    on conflict ("prompt_id") do update
    set "user_id" = excluded."user_id", "tool" = excluded."tool", "input_length" = excluded."input_length",
        "input_hmac" = excluded."input_hmac", "output_length" = excluded."output_length",
        "output_hmac" = excluded."output_hmac", "pii_kid" = excluded."pii_kid",
        "tokens_used" = excluded."tokens_used", "cost_amount" = excluded."cost_amount",
        "prompted_at" = excluded."prompted_at", "asset_id" = excluded."asset_id",
        "deleted_at" = excluded."deleted_at",
        _extraction = excluded._extraction, _loaded_at = excluded._loaded_at
    where c._extraction < excluded._extraction
      and row("c"."prompt_id", "c"."user_id", "c"."tool", "c"."input_length", "c"."input_hmac",
        "c"."output_length", "c"."output_hmac", "c"."pii_kid", "c"."tokens_used", "c"."cost_amount",
        "c"."prompted_at", "c"."asset_id", "c"."deleted_at")
          is distinct from row("excluded"."prompt_id", "excluded"."user_id", "excluded"."tool", "excluded"."input_length",
        "excluded"."input_hmac", "excluded"."output_length", "excluded"."output_hmac", "excluded"."pii_kid",
        "excluded"."tokens_used", "excluded"."cost_amount", "excluded"."prompted_at", "excluded"."asset_id",
        "excluded"."deleted_at")
    returning old."prompt_id" is null as _is_new, new."prompt_id",
        array["old"."user_id"::text, "old"."asset_id"::text] as "_old_entities",
        array[("old"."prompted_at" at time zone 'UTC')::date] as "_old_days",
        array["new"."user_id"::text, "new"."asset_id"::text] as "_new_entities",
        array[("new"."prompted_at" at time zone 'UTC')::date] as "_new_days"
), touched as (
    insert into ops.touched (core_table, entity_id, day)
    select distinct %(feed)s, entity, day
    from (
        -- few days of many rows: unique first
        select _old_entities, _old_days from merged union select _new_entities, _new_days from merged
    ) x(entities, days), unnest(entities) entity, unnest(days) day
    where entity is not null and day is not null
    order by entity, day
    on conflict (core_table, entity_id, day) do update set touched_at = clock_timestamp()
)
select count(*) filter (where _is_new), count(*) filter (where not _is_new) from merged;

-- rotate: bridge old and new hashes (1)
insert into ops.pii_bridge (feed, column_name, old_hmac, old_kid, new_hmac, new_kid, expires_at)
select distinct on (old_hmac) %(feed)s, 'input_hmac', old_hmac, %(old_kid)s::integer, new_hmac, %(kid)s::integer,
       clock_timestamp() + make_interval(days => r.bridge_days)
from (
select c."input_hmac" as old_hmac, s."input_hmac" as new_hmac
from "core"."prompts" c join "staging"."promptcontent__prompts" s using ("prompt_id")
where c.pii_kid = %(old_kid)s and s.pii_kid = %(kid)s and c."prompted_at" = s."prompted_at"
) p join ops.pii_rotation r on r.kid = %(kid)s
where old_hmac is not null and new_hmac is not null and r.bridge_days > 0
on conflict do nothing;

-- rotate: bridge old and new hashes (2)
insert into ops.pii_bridge (feed, column_name, old_hmac, old_kid, new_hmac, new_kid, expires_at)
select distinct on (old_hmac) %(feed)s, 'input_hmac', old_hmac, %(old_kid)s::integer, new_hmac, %(kid)s::integer,
       clock_timestamp() + make_interval(days => r.bridge_days)
from (
select decode(substr(q.payload ->> 'input_hmac', 3), 'hex') as old_hmac, s."input_hmac" as new_hmac
from ops.quarantine q join "staging"."promptcontent__prompts" s on q.key = s."prompt_id"::text
where q.feed = %(feed)s and (q.payload ->> 'pii_kid')::integer = %(old_kid)s
  and (q.payload ->> 'prompted_at')::timestamptz = s."prompted_at"
) p join ops.pii_rotation r on r.kid = %(kid)s
where old_hmac is not null and new_hmac is not null and r.bridge_days > 0
on conflict do nothing;

-- rotate: bridge old and new hashes (3)
insert into ops.pii_bridge (feed, column_name, old_hmac, old_kid, new_hmac, new_kid, expires_at)
select distinct on (old_hmac) %(feed)s, 'output_hmac', old_hmac, %(old_kid)s::integer, new_hmac, %(kid)s::integer,
       clock_timestamp() + make_interval(days => r.bridge_days)
from (
select c."output_hmac" as old_hmac, s."output_hmac" as new_hmac
from "core"."prompts" c join "staging"."promptcontent__prompts" s using ("prompt_id")
where c.pii_kid = %(old_kid)s and s.pii_kid = %(kid)s and c."prompted_at" = s."prompted_at"
) p join ops.pii_rotation r on r.kid = %(kid)s
where old_hmac is not null and new_hmac is not null and r.bridge_days > 0
on conflict do nothing;

-- rotate: bridge old and new hashes (4)
insert into ops.pii_bridge (feed, column_name, old_hmac, old_kid, new_hmac, new_kid, expires_at)
select distinct on (old_hmac) %(feed)s, 'output_hmac', old_hmac, %(old_kid)s::integer, new_hmac, %(kid)s::integer,
       clock_timestamp() + make_interval(days => r.bridge_days)
from (
select decode(substr(q.payload ->> 'output_hmac', 3), 'hex') as old_hmac, s."output_hmac" as new_hmac
from ops.quarantine q join "staging"."promptcontent__prompts" s on q.key = s."prompt_id"::text
where q.feed = %(feed)s and (q.payload ->> 'pii_kid')::integer = %(old_kid)s
  and (q.payload ->> 'prompted_at')::timestamptz = s."prompted_at"
) p join ops.pii_rotation r on r.kid = %(kid)s
where old_hmac is not null and new_hmac is not null and r.bridge_days > 0
on conflict do nothing;

-- rotate: remove hashes of the old key (1)
update "core"."prompts" c
set "input_hmac" = coalesce(s."input_hmac", null::bytea),
        "output_hmac" = coalesce(s."output_hmac", null::bytea), pii_kid = %(kid)s, _extraction = %(extraction)s
from "staging"."promptcontent__prompts" s
where s."prompt_id" = c."prompt_id" and c.pii_kid <> %(kid)s and s.pii_kid = %(kid)s;

-- rotate: remove hashes of the old key (2)
update "core"."prompts" c
set "input_hmac" = null::bytea, "output_hmac" = null::bytea, pii_kid = %(kid)s
where c.pii_kid <> %(kid)s;

-- rotate: remove hashes of the old key (3)
update ops.quarantine
set payload = payload - '{input_hmac,output_hmac}'::text[] || jsonb_build_object('pii_kid', %(kid)s::integer)
where feed = %(feed)s and (payload ->> 'pii_kid')::integer <> %(kid)s;

-- reconcile: digests by bucket of the source
select ('x' || left(encode(sha256(convert_to("prompt_id"::text, 'UTF8')), 'hex'), 3))::bit(12)::int as bucket, count(*), sum(('x' || left(encode(sha256(convert_to(row("prompt_id", "user_id", "tool", "input_length", "input_hmac", "output_length", "output_hmac",
        "pii_kid", "tokens_used", "cost_amount", "prompted_at", "asset_id", "deleted_at")::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint)
from (
    select "prompt_id", "user_id", "tool", "input_length", "input_hmac", "output_length", "output_hmac",
        "pii_kid", "tokens_used", "cost_amount", "prompted_at", "asset_id", "deleted_at"
    from "staging"."promptcontent__prompts"
    where _load_id = 0
) x where "prompt_id" is not null and "prompt_id"::text <> all(%(pending)s) group by 1;

-- reconcile: digests by key of the source
select "prompt_id"::text collate "C" as key, ('x' || left(encode(sha256(convert_to(row("prompt_id", "user_id", "tool", "input_length", "input_hmac", "output_length", "output_hmac",
        "pii_kid", "tokens_used", "cost_amount", "prompted_at", "asset_id", "deleted_at")::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint as digest, "prompted_at" as changed_at
from (
    select "prompt_id", "user_id", "tool", "input_length", "input_hmac", "output_length", "output_hmac",
        "pii_kid", "tokens_used", "cost_amount", "prompted_at", "asset_id", "deleted_at"
    from "staging"."promptcontent__prompts"
    where _load_id = 0
) x
where "prompt_id" is not null and "prompt_id"::text <> all(%(pending)s) and ('x' || left(encode(sha256(convert_to("prompt_id"::text, 'UTF8')), 'hex'), 3))::bit(12)::int = any(%(buckets)s) order by 1;

-- reconcile: total of cost_amount of the source
select sum("cost_amount") from (
            select "prompt_id", "user_id", "tool", "input_length", "input_hmac", "output_length", "output_hmac",
                "pii_kid", "tokens_used", "cost_amount", "prompted_at", "asset_id", "deleted_at"
            from "staging"."promptcontent__prompts"
            where _load_id = 0
        ) x where "prompt_id"::text <> all(%(pending)s);

-- reconcile: digests by bucket of the warehouse
select ('x' || left(encode(sha256(convert_to("prompt_id"::text, 'UTF8')), 'hex'), 3))::bit(12)::int as bucket, count(*), sum(('x' || left(encode(sha256(convert_to(row("prompt_id", "user_id", "tool", "input_length", "input_hmac", "output_length", "output_hmac",
        "pii_kid", "tokens_used", "cost_amount", "prompted_at", "asset_id", "deleted_at")::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint)
from (select * from (
select "prompt_id", "user_id", "tool", "input_length", "input_hmac", "output_length", "output_hmac",
        "pii_kid", "tokens_used", "cost_amount", "prompted_at", "asset_id", "deleted_at" from "core"."prompts" c
where not exists (
    select from ops.quarantine q where q.feed = %(feed)s and q.key = c."prompt_id"::text and q.released_at is null
) and not exists (
    select from ops.load l where l.feed = %(feed)s and l.extraction = c._extraction and l.mode = 'reconcile'
)
union all
select "r"."prompt_id", "r"."user_id", "r"."tool", "r"."input_length", "r"."input_hmac",
        "r"."output_length", "r"."output_hmac", "r"."pii_kid", "r"."tokens_used", "r"."cost_amount",
        "r"."prompted_at", "r"."asset_id", "r"."deleted_at" from ops.quarantine q, jsonb_populate_record(null::"staging"."promptcontent__prompts", q.payload) r
where q.feed = %(feed)s and q.released_at is null
) w where deleted_at is null) x where "prompt_id" is not null and "prompt_id"::text <> all(%(pending)s) group by 1;

-- reconcile: digests by key of the warehouse
select "prompt_id"::text collate "C" as key, ('x' || left(encode(sha256(convert_to(row("prompt_id", "user_id", "tool", "input_length", "input_hmac", "output_length", "output_hmac",
        "pii_kid", "tokens_used", "cost_amount", "prompted_at", "asset_id", "deleted_at")::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint as digest, "prompted_at" as changed_at
from (select * from (
select "prompt_id", "user_id", "tool", "input_length", "input_hmac", "output_length", "output_hmac",
        "pii_kid", "tokens_used", "cost_amount", "prompted_at", "asset_id", "deleted_at" from "core"."prompts" c
where not exists (
    select from ops.quarantine q where q.feed = %(feed)s and q.key = c."prompt_id"::text and q.released_at is null
) and not exists (
    select from ops.load l where l.feed = %(feed)s and l.extraction = c._extraction and l.mode = 'reconcile'
)
union all
select "r"."prompt_id", "r"."user_id", "r"."tool", "r"."input_length", "r"."input_hmac",
        "r"."output_length", "r"."output_hmac", "r"."pii_kid", "r"."tokens_used", "r"."cost_amount",
        "r"."prompted_at", "r"."asset_id", "r"."deleted_at" from ops.quarantine q, jsonb_populate_record(null::"staging"."promptcontent__prompts", q.payload) r
where q.feed = %(feed)s and q.released_at is null
) w where deleted_at is null) x
where "prompt_id" is not null and "prompt_id"::text <> all(%(pending)s) and ('x' || left(encode(sha256(convert_to("prompt_id"::text, 'UTF8')), 'hex'), 3))::bit(12)::int = any(%(buckets)s) order by 1;

-- reconcile: total of cost_amount of the warehouse
select sum("cost_amount") from (select * from (
        select "prompt_id", "user_id", "tool", "input_length", "input_hmac", "output_length", "output_hmac",
                "pii_kid", "tokens_used", "cost_amount", "prompted_at", "asset_id", "deleted_at" from "core"."prompts" c
        where not exists (
            select from ops.quarantine q where q.feed = %(feed)s and q.key = c."prompt_id"::text and q.released_at is null
        ) and not exists (
            select from ops.load l where l.feed = %(feed)s and l.extraction = c._extraction and l.mode = 'reconcile'
        )
        union all
        select "r"."prompt_id", "r"."user_id", "r"."tool", "r"."input_length", "r"."input_hmac",
                "r"."output_length", "r"."output_hmac", "r"."pii_kid", "r"."tokens_used", "r"."cost_amount",
                "r"."prompted_at", "r"."asset_id", "r"."deleted_at" from ops.quarantine q, jsonb_populate_record(null::"staging"."promptcontent__prompts", q.payload) r
        where q.feed = %(feed)s and q.released_at is null
    ) w where deleted_at is null) x where "prompt_id"::text <> all(%(pending)s);

-- reconcile: soft-delete rows that the source no longer has
with merged as (
    update "core"."prompts" c
    set deleted_at = coalesce(c.deleted_at, %(read_at)s), _extraction = %(extraction)s,
        _loaded_at = clock_timestamp()
    where c."prompt_id" = any(%(keys)s::text[])
    returning true as _is_gone,
        array["old"."user_id"::text, "old"."asset_id"::text] as "_old_entities",
        array[("old"."prompted_at" at time zone 'UTC')::date] as "_old_days",
        array["new"."user_id"::text, "new"."asset_id"::text] as "_new_entities",
        array[("new"."prompted_at" at time zone 'UTC')::date] as "_new_days"
), touched as (
    insert into ops.touched (core_table, entity_id, day)
    select distinct %(feed)s, entity, day
    from (
        -- few days of many rows: unique first
        select _old_entities, _old_days from merged union select _new_entities, _new_days from merged
    ) x(entities, days), unnest(entities) entity, unnest(days) day
    where entity is not null and day is not null
    order by entity, day
    on conflict (core_table, entity_id, day) do update set touched_at = clock_timestamp()
)
select count(*) from merged;

-- erase: find a person's rows in core
select %(feed)s as feed, "prompt_id"::text as key, 'core' as place, null::bytea as email_hmac, "pii_kid" as pii_kid,
       "prompted_at" as row_changed_at, array_remove(array[]::bytea[], null) as hashes,
       array_remove(array[]::text[], null) as kinds
from "core"."prompts"
where true and ("prompt_id"::text = %(key)s or array[]::bytea[] && %(hashes)s::bytea[]);

-- erase: find a person's rows in quarantine
select %(feed)s as feed, key as key, 'quarantine' as place, null::bytea as email_hmac, (payload ->> 'pii_kid')::integer as pii_kid,
       (payload ->> 'prompted_at')::timestamptz as row_changed_at, array_remove(array[]::bytea[], null) as hashes,
       array_remove(array[]::text[], null) as kinds
from ops.quarantine
where feed = %(feed)s and (key = %(key)s or array[]::bytea[] && %(hashes)s::bytea[]);

-- erase: touch the days of rows that name a person
insert into ops.touched (core_table, entity_id, day)
            select distinct %(feed)s, e.entity, (d.moment at time zone 'UTC')::date
    from "core"."prompts" t cross join unnest(array["t"."user_id"::text, "t"."asset_id"::text]) e(entity) cross join unnest(array["t"."prompted_at"]) d(moment)
    where (exists (select from unnest(%(needles)s::text[]) needle where position(needle in lower((t.*)::text)) > 0)) and d.moment is not null and e.entity is not null
            on conflict (core_table, entity_id, day) do update set touched_at = clock_timestamp();
