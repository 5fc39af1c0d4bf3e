-- Written by `python -m tests.golden` from warehouse/core/content_assets; do not edit.
-- The statements are as psycopg gets them: %(name)s and %s stand for parameters, %% for a percent sign.

-- provision: the staging table
drop table if exists "staging"."promptcontent__content_assets";
create unlogged table "staging"."promptcontent__content_assets" (
        "asset_id" text, "project_id" text, "type" text, "url" text, "width" integer, "height" integer,
        "format" text, "size_bytes" bigint, "tags" text[], "model" text, "prompt_length" integer,
        "prompt_hmac" bytea, "pii_kid" integer, "generated_at" timestamp with time zone, "status" text,
        "approved_at" timestamp with time zone, "archived_at" timestamp with time zone,
        "created_by_user_id" uuid, "prompt_history_id" text, "created_at" timestamp with time zone,
        "updated_at" timestamp with time zone, "deleted_at" timestamp with time zone,
        "_load_id" bigint not null, "_row" bigint not null generated always as identity, "_rules" text[],
        "_misfits" text[]
);
comment on table "staging"."promptcontent__content_assets" is 'Rows of promptcontent.content_assets on their way into core.content_assets; emptied by each load.';

-- stage: empty the staging table
truncate "staging"."promptcontent__content_assets";

-- stage: copy rows into staging
copy "staging"."promptcontent__content_assets" ("asset_id", "project_id", "type", "url", "width", "height", "format", "size_bytes", "tags", "model",
                "prompt_length", "prompt_hmac", "pii_kid", "generated_at", "status", "approved_at", "archived_at",
                "created_by_user_id", "prompt_history_id", "created_at", "updated_at", "deleted_at", _misfits, _load_id) from stdin (format binary); -- noqa

-- stage: keep the last row of each key
delete from "staging"."promptcontent__content_assets" s
using (select "asset_id", max(_row) as _row from "staging"."promptcontent__content_assets" group by "asset_id" having count(*) > 1) as last
where last."asset_id" = s."asset_id" and s._row < last._row;

-- stage: complete deletes from core
update "staging"."promptcontent__content_assets" s
set "project_id" = c."project_id", "type" = c."type", "url" = c."url", "width" = c."width",
        "height" = c."height", "format" = c."format", "size_bytes" = c."size_bytes", "tags" = c."tags",
        "model" = c."model", "prompt_length" = c."prompt_length", "prompt_hmac" = c."prompt_hmac",
        "pii_kid" = c."pii_kid", "generated_at" = c."generated_at", "status" = c."status",
        "approved_at" = c."approved_at", "archived_at" = c."archived_at",
        "created_by_user_id" = c."created_by_user_id", "prompt_history_id" = c."prompt_history_id",
        "created_at" = c."created_at", "updated_at" = c."updated_at"
from "core"."content_assets" c
where s.deleted_at is not null and c."asset_id" = s."asset_id";

-- stage: drop deletes of rows that core never had
with gone as (
    delete from "staging"."promptcontent__content_assets" s
    where s.deleted_at is not null and not exists (select from "core"."content_assets" c where c."asset_id" = s."asset_id")
    returning s."asset_id"::text as key
), closed as (
    update ops.quarantine q set released_at = clock_timestamp(), release_reason = 'deleted'
    from gone where q.feed = %(feed)s and q.key = gone.key and q.released_at is null
)
select count(*) from gone;

-- suppress: find rows of erased persons that core still has
select x.key, x.person_hmac, x.pii_kid, x.row_changed_at
from ops.suppression x join "staging"."promptcontent__content_assets" s on x.key = s."asset_id"::text
where x.feed = %(feed)s and exists (select from "core"."content_assets" c where c."asset_id" = s."asset_id");

-- suppress: drop rows of erased persons
delete from "staging"."promptcontent__content_assets" s using ops.suppression x where x.feed = %(feed)s and x.key = s."asset_id"::text;

-- suppress: replace references to erased persons
update "staging"."promptcontent__content_assets"
set "project_id" = case when "project_id"::text in (select key from ops.suppression where length(key) >= 16)
            then '00000000-0000-0000-0000-000000000000' else "project_id" end,
        "created_by_user_id" = case when "created_by_user_id"::text in (select key from ops.suppression where length(key) >= 16)
            then '00000000-0000-0000-0000-000000000000' else "created_by_user_id" end,
        "prompt_history_id" = case when "prompt_history_id"::text in (select key from ops.suppression where length(key) >= 16)
            then '00000000-0000-0000-0000-000000000000' else "prompt_history_id" end
where "project_id"::text in (select key from ops.suppression where length(key) >= 16) or
        "created_by_user_id"::text in (select key from ops.suppression where length(key) >= 16) or
        "prompt_history_id"::text in (select key from ops.suppression where length(key) >= 16);

-- stage: drop rows that are in quarantine unchanged
delete from "staging"."promptcontent__content_assets" s using ops.quarantine q
where q.feed = %(feed)s
  and q.key = coalesce(s."asset_id"::text, 'without key ' || md5((to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end)::text))
  and q.released_at is null and not q.is_waived
  and q.suite_checksum = %(suite_checksum)s and q.last_tried_at >= %(read_at)s - interval '1 day'
  and q.payload = to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end;

-- stage: analyze
analyze "staging"."promptcontent__content_assets" ("asset_id", "updated_at");

-- stage: drop rows that equal core
delete from "staging"."promptcontent__content_assets" s using "core"."content_assets" c
where s."updated_at" <= %(seen_through)s and s._misfits is null
  and c."asset_id" = s."asset_id"
  and row("s"."asset_id", "s"."project_id", "s"."type", "s"."url", "s"."width", "s"."height", "s"."format",
        "s"."size_bytes", "s"."tags", "s"."model", "s"."prompt_length", "s"."prompt_hmac", "s"."pii_kid",
        "s"."generated_at", "s"."status", "s"."approved_at", "s"."archived_at", "s"."created_by_user_id",
        "s"."prompt_history_id", "s"."created_at", "s"."updated_at", "s"."deleted_at")
      is not distinct from row("c"."asset_id", "c"."project_id", "c"."type", "c"."url", "c"."width", "c"."height", "c"."format",
        "c"."size_bytes", "c"."tags", "c"."model", "c"."prompt_length", "c"."prompt_hmac", "c"."pii_kid",
        "c"."generated_at", "c"."status", "c"."approved_at", "c"."archived_at", "c"."created_by_user_id",
        "c"."prompt_history_id", "c"."created_at", "c"."updated_at", "c"."deleted_at")
  and not exists (
      select from ops.quarantine q where q.feed = %(feed)s and q.key = s."asset_id"::text and q.released_at is null
  );

-- check: count the staged rows
select count(*) from "staging"."promptcontent__content_assets" where _load_id = %(extraction)s;

-- check: clear earlier verdicts
update "staging"."promptcontent__content_assets" set _rules = _misfits where _rules is distinct from _misfits;

-- check: mark rows by number
update "staging"."promptcontent__content_assets" set _rules = array_append(_rules, %(rule)s) where _row = any(%(rows)s);

-- check: let rows pass that were released by hand
update "staging"."promptcontent__content_assets" s set _rules = null from ops.quarantine q
where s._rules is not null and q.feed = %(feed)s and q.key = s."asset_id"::text
  and q.is_waived
  and (q.payload = to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end
       -- hashed with another key since, but the same version: the cursor is part of it
       or q.payload -> 'pii_kid' <> to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end -> 'pii_kid'
          and q.payload - '{prompt_hmac,pii_kid}'::text[] = to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end - '{prompt_hmac,pii_kid}'::text[]);

-- check: let deletes pass
update "staging"."promptcontent__content_assets" set _rules = null where deleted_at is not null and _rules is not null;

-- check: count the marked rows
select count(*) from "staging"."promptcontent__content_assets" where _rules is not null;

-- publish: release rows from quarantine
update ops.quarantine q
set released_at = clock_timestamp(), release_reason = case when s.deleted_at is not null then 'deleted' when q.is_waived then 'waived' else 'repaired' end
from "staging"."promptcontent__content_assets" s
where s._rules is null and q.feed = %(feed)s and q.key = s."asset_id"::text and q.released_at is null;

-- publish: move marked rows to quarantine
insert into ops.quarantine as q (feed, key, extraction, rules, suite_checksum, payload, is_core_stale)
select distinct on (coalesce(s."asset_id"::text, 'without key ' || md5((to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end)::text)))
       %(feed)s,
       coalesce(s."asset_id"::text, 'without key ' || md5((to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end)::text)),
       %(extraction)s, s._rules, %(suite_checksum)s,
       to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end,
       exists (select from "core"."content_assets" c where c."asset_id" = s."asset_id")
from "staging"."promptcontent__content_assets" s where s._rules is not null
on conflict (feed, key) where released_at is null do update
set extraction = excluded.extraction, rules = excluded.rules, suite_checksum = excluded.suite_checksum,
    payload = excluded.payload, is_core_stale = excluded.is_core_stale, is_waived = false,
    last_tried_at = clock_timestamp(), tries = q.tries + 1;

-- publish: a first load of core.content_assets
select ops.insert_first_rows('content_assets', 'promptcontent__content_assets', %(extraction)s);

-- publish: note the days of a first load
with merged as (
    select array["new"."asset_id"::text] as "_new_entities",
        array[("new"."created_at" at time zone 'UTC')::date] as "_new_days"
    from "staging"."promptcontent__content_assets" as new where _rules is null
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

-- publish: upsert into core.content_assets
with merged as (
    insert into "core"."content_assets" as c ("asset_id", "project_id", "type", "url", "width", "height", "format", "size_bytes", "tags", "model",
        "prompt_length", "prompt_hmac", "pii_kid", "generated_at", "status", "approved_at", "archived_at",
        "created_by_user_id", "prompt_history_id", "created_at", "updated_at", "deleted_at",
        _extraction, _loaded_at)
    select "asset_id", "project_id", "type", "url", "width", "height", "format", "size_bytes", "tags", "model",
        "prompt_length", "prompt_hmac", "pii_kid", "generated_at", "status", "approved_at", "archived_at",
        "created_by_user_id", "prompt_history_id", "created_at", "updated_at", "deleted_at",
        %(extraction)s, clock_timestamp()
    from "staging"."promptcontent__content_assets" where _rules is null order by "asset_id"
    on conflict ("asset_id") do update
    set "project_id" = excluded."project_id", "type" = excluded."type", "url" = excluded."url",
        "width" = excluded."width", "height" = excluded."height", "format" = excluded."format",
        "size_bytes" = excluded."size_bytes", "tags" = excluded."tags", "model" = excluded."model",
        "prompt_length" = excluded."prompt_length", "prompt_hmac" = excluded."prompt_hmac",
        "pii_kid" = excluded."pii_kid", "generated_at" = excluded."generated_at",
        "status" = excluded."status", "approved_at" = excluded."approved_at",
        "archived_at" = excluded."archived_at", "created_by_user_id" = excluded."created_by_user_id",
        "prompt_history_id" = excluded."prompt_history_id", "created_at" = excluded."created_at",
        "updated_at" = excluded."updated_at", "deleted_at" = excluded."deleted_at",
        _extraction = excluded._extraction, _loaded_at = excluded._loaded_at
    where c._extraction < excluded._extraction
      and row("c"."asset_id", "c"."project_id", "c"."type", "c"."url", "c"."width", "c"."height", "c"."format",
        "c"."size_bytes", "c"."tags", "c"."model", "c"."prompt_length", "c"."prompt_hmac", "c"."pii_kid",
        "c"."generated_at", "c"."status", "c"."approved_at", "c"."archived_at", "c"."created_by_user_id",
        "c"."prompt_history_id", "c"."created_at", "c"."updated_at", "c"."deleted_at")
          is distinct from row("excluded"."asset_id", "excluded"."project_id", "excluded"."type", "excluded"."url",
        "excluded"."width", "excluded"."height", "excluded"."format", "excluded"."size_bytes",
        "excluded"."tags", "excluded"."model", "excluded"."prompt_length", "excluded"."prompt_hmac",
        "excluded"."pii_kid", "excluded"."generated_at", "excluded"."status", "excluded"."approved_at",
        "excluded"."archived_at", "excluded"."created_by_user_id", "excluded"."prompt_history_id",
        "excluded"."created_at", "excluded"."updated_at", "excluded"."deleted_at")
    returning old."asset_id" is null as _is_new, new."asset_id",
        new."updated_at" as _changed_at, "new"."status", "new"."prompt_history_id",
        row("old"."status", "old"."prompt_history_id") is distinct from row("new"."status", "new"."prompt_history_id") as _is_new_version,
        array["old"."asset_id"::text] as "_old_entities",
        array[("old"."created_at" at time zone 'UTC')::date] as "_old_days",
        array["new"."asset_id"::text] as "_new_entities",
        array[("new"."created_at" at time zone 'UTC')::date] as "_new_days"
), ended as (
    insert into "core"."content_assets_history" as h ("asset_id", "status", "prompt_history_id", valid_from, valid_to)
    select "asset_id", "status", "prompt_history_id", case when _is_new then '-infinity' else _changed_at end, 'infinity'
    from merged where _is_new or _is_new_version
    on conflict ("asset_id") where valid_to = 'infinity' do update
    set valid_to = coalesce(
        nullif(
            greatest(nullif(excluded.valid_from, '-infinity'), h.valid_from + interval '1 microsecond'),
            '-infinity'
        ),
        clock_timestamp()
    )
    where row("h"."status", "h"."prompt_history_id") is distinct from row("excluded"."status", "excluded"."prompt_history_id")
    returning old."asset_id" is not null as _is_ended, new."asset_id", new.valid_to as _valid_to
), begun as (
    insert into "core"."content_assets_history" ("asset_id", "status", "prompt_history_id", valid_from, valid_to)
    select "asset_id", "status", "prompt_history_id", _valid_to, 'infinity'
    from ended join merged using ("asset_id") where _is_ended
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
select distinct on (old_hmac) %(feed)s, 'prompt_hmac', old_hmac, %(old_kid)s::integer, new_hmac, %(kid)s::integer,
       clock_timestamp() + make_interval(days => r.bridge_days)
from (
select c."prompt_hmac" as old_hmac, s."prompt_hmac" as new_hmac
from "core"."content_assets" c join "staging"."promptcontent__content_assets" s using ("asset_id")
where c.pii_kid = %(old_kid)s and s.pii_kid = %(kid)s and c."updated_at" = s."updated_at"
) p join ops.pii_rotation r on r.kid = %(kid)s
where old_hmac is not null and new_hmac is not null and r.bridge_days > 0
on conflict do nothing;

-- rotate: bridge old and new hashes (2)
insert into ops.pii_bridge (feed, column_name, old_hmac, old_kid, new_hmac, new_kid, expires_at)
select distinct on (old_hmac) %(feed)s, 'prompt_hmac', old_hmac, %(old_kid)s::integer, new_hmac, %(kid)s::integer,
       clock_timestamp() + make_interval(days => r.bridge_days)
from (
select decode(substr(q.payload ->> 'prompt_hmac', 3), 'hex') as old_hmac, s."prompt_hmac" as new_hmac
from ops.quarantine q join "staging"."promptcontent__content_assets" s on q.key = s."asset_id"::text
where q.feed = %(feed)s and (q.payload ->> 'pii_kid')::integer = %(old_kid)s
  and (q.payload ->> 'updated_at')::timestamptz = s."updated_at"
) p join ops.pii_rotation r on r.kid = %(kid)s
where old_hmac is not null and new_hmac is not null and r.bridge_days > 0
on conflict do nothing;

-- rotate: remove hashes of the old key (1)
update "core"."content_assets" c
set "prompt_hmac" = coalesce(s."prompt_hmac", null::bytea), pii_kid = %(kid)s, _extraction = %(extraction)s
from "staging"."promptcontent__content_assets" s
where s."asset_id" = c."asset_id" and c.pii_kid <> %(kid)s and s.pii_kid = %(kid)s;

-- rotate: remove hashes of the old key (2)
update "core"."content_assets" c
set "prompt_hmac" = null::bytea, pii_kid = %(kid)s
where c.pii_kid <> %(kid)s;

-- rotate: remove hashes of the old key (3)
update ops.quarantine
set payload = payload - '{prompt_hmac}'::text[] || jsonb_build_object('pii_kid', %(kid)s::integer)
where feed = %(feed)s and (payload ->> 'pii_kid')::integer <> %(kid)s;

-- reconcile: digests by bucket of the source
select ('x' || left(encode(sha256(convert_to("asset_id"::text, 'UTF8')), 'hex'), 3))::bit(12)::int as bucket, count(*), sum(('x' || left(encode(sha256(convert_to(row("asset_id", "project_id", "type", "url", "width", "height", "format", "size_bytes", "tags", "model",
        "prompt_length", "prompt_hmac", "pii_kid", "generated_at", "status", "approved_at", "archived_at",
        "created_by_user_id", "prompt_history_id", "created_at", "updated_at", "deleted_at")::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint)
from (
    select "asset_id", "project_id", "type", "url", "width", "height", "format", "size_bytes", "tags", "model",
        "prompt_length", "prompt_hmac", "pii_kid", "generated_at", "status", "approved_at", "archived_at",
        "created_by_user_id", "prompt_history_id", "created_at", "updated_at", "deleted_at"
    from "staging"."promptcontent__content_assets"
    where _load_id = 0
) x where "asset_id" is not null and "asset_id"::text <> all(%(pending)s) group by 1;

-- reconcile: digests by key of the source
select "asset_id"::text collate "C" as key, ('x' || left(encode(sha256(convert_to(row("asset_id", "project_id", "type", "url", "width", "height", "format", "size_bytes", "tags", "model",
        "prompt_length", "prompt_hmac", "pii_kid", "generated_at", "status", "approved_at", "archived_at",
        "created_by_user_id", "prompt_history_id", "created_at", "updated_at", "deleted_at")::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint as digest, "updated_at" as changed_at
from (
    select "asset_id", "project_id", "type", "url", "width", "height", "format", "size_bytes", "tags", "model",
        "prompt_length", "prompt_hmac", "pii_kid", "generated_at", "status", "approved_at", "archived_at",
        "created_by_user_id", "prompt_history_id", "created_at", "updated_at", "deleted_at"
    from "staging"."promptcontent__content_assets"
    where _load_id = 0
) x
where "asset_id" is not null and "asset_id"::text <> all(%(pending)s) and ('x' || left(encode(sha256(convert_to("asset_id"::text, 'UTF8')), 'hex'), 3))::bit(12)::int = any(%(buckets)s) order by 1;

-- reconcile: digests by bucket of the warehouse
select ('x' || left(encode(sha256(convert_to("asset_id"::text, 'UTF8')), 'hex'), 3))::bit(12)::int as bucket, count(*), sum(('x' || left(encode(sha256(convert_to(row("asset_id", "project_id", "type", "url", "width", "height", "format", "size_bytes", "tags", "model",
        "prompt_length", "prompt_hmac", "pii_kid", "generated_at", "status", "approved_at", "archived_at",
        "created_by_user_id", "prompt_history_id", "created_at", "updated_at", "deleted_at")::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint)
from (select * from (
select "asset_id", "project_id", "type", "url", "width", "height", "format", "size_bytes", "tags", "model",
        "prompt_length", "prompt_hmac", "pii_kid", "generated_at", "status", "approved_at", "archived_at",
        "created_by_user_id", "prompt_history_id", "created_at", "updated_at", "deleted_at" from "core"."content_assets" c
where not exists (
    select from ops.quarantine q where q.feed = %(feed)s and q.key = c."asset_id"::text and q.released_at is null
) and not exists (
    select from ops.load l where l.feed = %(feed)s and l.extraction = c._extraction and l.mode = 'reconcile'
)
union all
select "r"."asset_id", "r"."project_id", "r"."type", "r"."url", "r"."width", "r"."height", "r"."format",
        "r"."size_bytes", "r"."tags", "r"."model", "r"."prompt_length", "r"."prompt_hmac", "r"."pii_kid",
        "r"."generated_at", "r"."status", "r"."approved_at", "r"."archived_at", "r"."created_by_user_id",
        "r"."prompt_history_id", "r"."created_at", "r"."updated_at", "r"."deleted_at" from ops.quarantine q, jsonb_populate_record(null::"staging"."promptcontent__content_assets", q.payload) r
where q.feed = %(feed)s and q.released_at is null
) w where deleted_at is null) x where "asset_id" is not null and "asset_id"::text <> all(%(pending)s) group by 1;

-- reconcile: digests by key of the warehouse
select "asset_id"::text collate "C" as key, ('x' || left(encode(sha256(convert_to(row("asset_id", "project_id", "type", "url", "width", "height", "format", "size_bytes", "tags", "model",
        "prompt_length", "prompt_hmac", "pii_kid", "generated_at", "status", "approved_at", "archived_at",
        "created_by_user_id", "prompt_history_id", "created_at", "updated_at", "deleted_at")::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint as digest, "updated_at" as changed_at
from (select * from (
select "asset_id", "project_id", "type", "url", "width", "height", "format", "size_bytes", "tags", "model",
        "prompt_length", "prompt_hmac", "pii_kid", "generated_at", "status", "approved_at", "archived_at",
        "created_by_user_id", "prompt_history_id", "created_at", "updated_at", "deleted_at" from "core"."content_assets" c
where not exists (
    select from ops.quarantine q where q.feed = %(feed)s and q.key = c."asset_id"::text and q.released_at is null
) and not exists (
    select from ops.load l where l.feed = %(feed)s and l.extraction = c._extraction and l.mode = 'reconcile'
)
union all
select "r"."asset_id", "r"."project_id", "r"."type", "r"."url", "r"."width", "r"."height", "r"."format",
        "r"."size_bytes", "r"."tags", "r"."model", "r"."prompt_length", "r"."prompt_hmac", "r"."pii_kid",
        "r"."generated_at", "r"."status", "r"."approved_at", "r"."archived_at", "r"."created_by_user_id",
        "r"."prompt_history_id", "r"."created_at", "r"."updated_at", "r"."deleted_at" from ops.quarantine q, jsonb_populate_record(null::"staging"."promptcontent__content_assets", q.payload) r
where q.feed = %(feed)s and q.released_at is null
) w where deleted_at is null) x
where "asset_id" is not null and "asset_id"::text <> all(%(pending)s) and ('x' || left(encode(sha256(convert_to("asset_id"::text, 'UTF8')), 'hex'), 3))::bit(12)::int = any(%(buckets)s) order by 1;

-- reconcile: soft-delete rows that the source no longer has
with merged as (
    update "core"."content_assets" c
    set deleted_at = coalesce(c.deleted_at, %(read_at)s), _extraction = %(extraction)s,
        _loaded_at = clock_timestamp()
    where c."asset_id" = any(%(keys)s::text[])
    returning true as _is_gone,
        array["old"."asset_id"::text] as "_old_entities",
        array[("old"."created_at" at time zone 'UTC')::date] as "_old_days",
        array["new"."asset_id"::text] as "_new_entities",
        array[("new"."created_at" at time zone 'UTC')::date] as "_new_days"
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
select %(feed)s as feed, "asset_id"::text as key, 'core' as place, null::bytea as email_hmac, "pii_kid" as pii_kid,
       "updated_at" as row_changed_at, array_remove(array[]::bytea[], null) as hashes,
       array_remove(array[]::text[], null) as kinds
from "core"."content_assets"
where true and ("asset_id"::text = %(key)s or array[]::bytea[] && %(hashes)s::bytea[]);

-- erase: find a person's rows in quarantine
select %(feed)s as feed, key as key, 'quarantine' as place, null::bytea as email_hmac, (payload ->> 'pii_kid')::integer as pii_kid,
       (payload ->> 'updated_at')::timestamptz as row_changed_at, array_remove(array[]::bytea[], null) as hashes,
       array_remove(array[]::text[], null) as kinds
from ops.quarantine
where feed = %(feed)s and (key = %(key)s or array[]::bytea[] && %(hashes)s::bytea[]);

-- erase: touch the days of rows that name a person
insert into ops.touched (core_table, entity_id, day)
            select distinct %(feed)s, e.entity, (d.moment at time zone 'UTC')::date
    from "core"."content_assets" t cross join unnest(array["t"."asset_id"::text]) e(entity) cross join unnest(array["t"."created_at"]) d(moment)
    where (exists (select from unnest(%(needles)s::text[]) needle where position(needle in lower((t.*)::text)) > 0) or "asset_id" in (select "asset_id" from "core"."content_assets_history" t where exists (select from unnest(%(needles)s::text[]) needle where position(needle in lower((t.*)::text)) > 0))) and d.moment is not null and e.entity is not null
            on conflict (core_table, entity_id, day) do update set touched_at = clock_timestamp();
