-- Written by `python -m tests.golden` from warehouse/core/pipeline_stages; do not edit.
-- The statements are as psycopg gets them: %(name)s and %s stand for parameters, %% for a percent sign.

-- provision: the hashing view at the source
drop view if exists "etl"."pipeline_stages";
grant usage on schema "crm" to etl_owner;
revoke select on "crm"."pipeline_stages" from etl_owner;
grant select ("created_at", "default_probability", "deleted_at", "id", "is_active", "is_closed", "is_won", "name",
        "pipeline_code", "position", "updated_at") on "crm"."pipeline_stages" to etl_owner;
create view "etl"."pipeline_stages" with (security_barrier) as
    select "id" as "stage_id",
        (case when "pipeline_code"::text collate "C" ~  E'[@+]|\\u002540|\\u00252[Bb]|(?:^|[^0-9])0[0-9]|[0-9][ .)-]' then regexp_replace(regexp_replace("pipeline_code"::text collate "C",  E'(?:\\+|\\u00252[Bb])[ (]?[0-9](?:[ ./()-]{0,3}[0-9]){6,22}|(?<![0-9A-Za-z_.,-])\\(?0(?:[0-9]{2}(?:[ ./()-]{0,3}[0-9]){6,22}|[1-9](?:[ .-][0-9]{2}){4})(?!-?[0-9A-Za-z_])|(?<![0-9A-Za-z_.,-])(?:1[ .-])?(?:\\([2-9][0-9]{2}\\) ?|[2-9][0-9]{2}[ .-])[2-9][0-9]{2}[ .-][0-9]{4}(?!-?[0-9A-Za-z_])', '***', 'g'),  E'[^ \\t\\n\\r\\f\\v<>()\\[\\]{}",;:|/?&=#]+(?:@|\\u002540)[^ \\t\\n\\r\\f\\v<>()\\[\\]{}",;:|/?&=#]+[.][^ \\t\\n\\r\\f\\v<>()\\[\\]{}",;:|/?&=#]+', '***', 'g') else "pipeline_code"::text end)::character varying(50) as "pipeline_code",
        (case when "name"::text collate "C" ~  E'[@+]|\\u002540|\\u00252[Bb]|(?:^|[^0-9])0[0-9]|[0-9][ .)-]' then regexp_replace(regexp_replace("name"::text collate "C",  E'(?:\\+|\\u00252[Bb])[ (]?[0-9](?:[ ./()-]{0,3}[0-9]){6,22}|(?<![0-9A-Za-z_.,-])\\(?0(?:[0-9]{2}(?:[ ./()-]{0,3}[0-9]){6,22}|[1-9](?:[ .-][0-9]{2}){4})(?!-?[0-9A-Za-z_])|(?<![0-9A-Za-z_.,-])(?:1[ .-])?(?:\\([2-9][0-9]{2}\\) ?|[2-9][0-9]{2}[ .-])[2-9][0-9]{2}[ .-][0-9]{4}(?!-?[0-9A-Za-z_])', '***', 'g'),  E'[^ \\t\\n\\r\\f\\v<>()\\[\\]{}",;:|/?&=#]+(?:@|\\u002540)[^ \\t\\n\\r\\f\\v<>()\\[\\]{}",;:|/?&=#]+[.][^ \\t\\n\\r\\f\\v<>()\\[\\]{}",;:|/?&=#]+', '***', 'g') else "name"::text end)::character varying(100) as "name",
        "position" as "position", "default_probability" as "default_probability", "is_closed" as "is_closed",
        "is_won" as "is_won", "is_active" as "is_active", "created_at" as "created_at",
        "updated_at" as "updated_at", "deleted_at" as "deleted_at"
    from "crm"."pipeline_stages";
alter view "etl"."pipeline_stages" owner to etl_owner;
grant select on "etl"."pipeline_stages" to etl_reader;

-- provision: the staging table
drop table if exists "staging"."promptcrm__pipeline_stages";
create unlogged table "staging"."promptcrm__pipeline_stages" (
        "stage_id" uuid, "pipeline_code" character varying(50), "name" character varying(100),
        "position" smallint, "default_probability" numeric(5,4), "is_closed" boolean, "is_won" boolean,
        "is_active" boolean, "created_at" timestamp with time zone, "updated_at" timestamp with time zone,
        "deleted_at" timestamp with time zone, "_load_id" bigint not null,
        "_row" bigint not null generated always as identity, "_rules" text[], "_misfits" text[]
);
comment on table "staging"."promptcrm__pipeline_stages" is 'Rows of crm.pipeline_stages on their way into core.pipeline_stages; emptied by each load.';

-- extract: a first load
copy (
    select "stage_id", "pipeline_code", "name", "position", "default_probability", "is_closed", "is_won",
        "is_active", "created_at", "updated_at", "deleted_at", 42::bigint
    from "etl"."pipeline_stages"
    where true
) to stdout (format binary); -- noqa

-- extract: a delta
copy (
    select "stage_id", "pipeline_code", "name", "position", "default_probability", "is_closed", "is_won",
        "is_active", "created_at", "updated_at", "deleted_at", 42::bigint
    from "etl"."pipeline_stages"
    where "updated_at" >= '2026-01-02 03:04:05+00:00'::timestamptz
) to stdout (format binary); -- noqa

-- extract: a delta with the quarantined keys that are due
copy (
    select "stage_id", "pipeline_code", "name", "position", "default_probability", "is_closed", "is_won",
        "is_active", "created_at", "updated_at", "deleted_at", 42::bigint
    from "etl"."pipeline_stages"
    where ("updated_at" >= '2026-01-02 03:04:05+00:00'::timestamptz or "stage_id" = any('{"a key","another key"}'::uuid[]))
) to stdout (format binary); -- noqa

-- extract: a window
copy (
    select "stage_id", "pipeline_code", "name", "position", "default_probability", "is_closed", "is_won",
        "is_active", "created_at", "updated_at", "deleted_at", 42::bigint
    from "etl"."pipeline_stages"
    where "updated_at" >= '2026-01-01 00:00:00+00:00'::timestamptz and "updated_at" < '2026-02-01 00:00:00+00:00'::timestamptz
) to stdout (format binary); -- noqa

-- stage: empty the staging table
truncate "staging"."promptcrm__pipeline_stages";

-- stage: copy rows into staging
copy "staging"."promptcrm__pipeline_stages" ("stage_id", "pipeline_code", "name", "position", "default_probability", "is_closed", "is_won",
                "is_active", "created_at", "updated_at", "deleted_at", _load_id) from stdin (format binary); -- noqa

-- suppress: find rows of erased persons that core still has
select x.key, x.person_hmac, x.pii_kid, x.row_changed_at
from ops.suppression x join "staging"."promptcrm__pipeline_stages" s on x.key = s."stage_id"::text
where x.feed = %(feed)s and exists (select from "core"."pipeline_stages" c where c."stage_id" = s."stage_id");

-- suppress: drop rows of erased persons
delete from "staging"."promptcrm__pipeline_stages" s using ops.suppression x where x.feed = %(feed)s and x.key = s."stage_id"::text;

-- stage: drop rows that are in quarantine unchanged
delete from "staging"."promptcrm__pipeline_stages" s using ops.quarantine q
where q.feed = %(feed)s
  and q.key = coalesce(s."stage_id"::text, 'without key ' || md5((to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end)::text))
  and q.released_at is null and not q.is_waived
  and q.suite_checksum = %(suite_checksum)s and q.last_tried_at >= %(read_at)s - interval '1 day'
  and q.payload = to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end;

-- stage: analyze
analyze "staging"."promptcrm__pipeline_stages" ("stage_id", "updated_at");

-- stage: drop rows that equal core
delete from "staging"."promptcrm__pipeline_stages" s using "core"."pipeline_stages" c
where s."updated_at" <= %(seen_through)s and s._misfits is null
  and c."stage_id" = s."stage_id"
  and row("s"."stage_id", "s"."pipeline_code", "s"."name", "s"."position", "s"."default_probability",
        "s"."is_closed", "s"."is_won", "s"."is_active", "s"."created_at", "s"."updated_at", "s"."deleted_at")
      is not distinct from row("c"."stage_id", "c"."pipeline_code", "c"."name", "c"."position", "c"."default_probability",
        "c"."is_closed", "c"."is_won", "c"."is_active", "c"."created_at", "c"."updated_at", "c"."deleted_at")
  and not exists (
      select from ops.quarantine q where q.feed = %(feed)s and q.key = s."stage_id"::text and q.released_at is null
  );

-- check: count the staged rows
select count(*) from "staging"."promptcrm__pipeline_stages" where _load_id = %(extraction)s;

-- check: clear earlier verdicts
update "staging"."promptcrm__pipeline_stages" set _rules = _misfits where _rules is distinct from _misfits;

-- check: mark rows by number
update "staging"."promptcrm__pipeline_stages" set _rules = array_append(_rules, %(rule)s) where _row = any(%(rows)s);

-- check: let rows pass that were released by hand
update "staging"."promptcrm__pipeline_stages" s set _rules = null from ops.quarantine q
where s._rules is not null and q.feed = %(feed)s and q.key = s."stage_id"::text
  and q.is_waived
  and (q.payload = to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end
       -- hashed with another key since, but the same version: the cursor is part of it
       or q.payload -> 'pii_kid' <> to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end -> 'pii_kid'
          and q.payload - '{pii_kid}'::text[] = to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end - '{pii_kid}'::text[]);

-- check: count the marked rows
select count(*) from "staging"."promptcrm__pipeline_stages" where _rules is not null;

-- publish: release rows from quarantine
update ops.quarantine q
set released_at = clock_timestamp(), release_reason = case when false then 'deleted' when q.is_waived then 'waived' else 'repaired' end
from "staging"."promptcrm__pipeline_stages" s
where s._rules is null and q.feed = %(feed)s and q.key = s."stage_id"::text and q.released_at is null;

-- publish: move marked rows to quarantine
insert into ops.quarantine as q (feed, key, extraction, rules, suite_checksum, payload, is_core_stale)
select distinct on (coalesce(s."stage_id"::text, 'without key ' || md5((to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end)::text)))
       %(feed)s,
       coalesce(s."stage_id"::text, 'without key ' || md5((to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end)::text)),
       %(extraction)s, s._rules, %(suite_checksum)s,
       to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end,
       exists (select from "core"."pipeline_stages" c where c."stage_id" = s."stage_id")
from "staging"."promptcrm__pipeline_stages" s where s._rules is not null
on conflict (feed, key) where released_at is null do update
set extraction = excluded.extraction, rules = excluded.rules, suite_checksum = excluded.suite_checksum,
    payload = excluded.payload, is_core_stale = excluded.is_core_stale, is_waived = false,
    last_tried_at = clock_timestamp(), tries = q.tries + 1;

-- publish: a first load of core.pipeline_stages
select ops.insert_first_rows('pipeline_stages', 'promptcrm__pipeline_stages', %(extraction)s);

-- publish: note the days of a first load
with merged as (
    select array["new"."stage_id"::text] as "_new_entities",
        array[("new"."created_at" at time zone 'UTC')::date] as "_new_days"
    from "staging"."promptcrm__pipeline_stages" as new where _rules is null
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

-- publish: upsert into core.pipeline_stages
with merged as (
    insert into "core"."pipeline_stages" as c ("stage_id", "pipeline_code", "name", "position", "default_probability", "is_closed", "is_won",
        "is_active", "created_at", "updated_at", "deleted_at",
        _extraction, _loaded_at)
    select "stage_id", "pipeline_code", "name", "position", "default_probability", "is_closed", "is_won",
        "is_active", "created_at", "updated_at", "deleted_at",
        %(extraction)s, clock_timestamp()
    from "staging"."promptcrm__pipeline_stages" where _rules is null order by "stage_id"
    on conflict ("stage_id") do update
    set "pipeline_code" = excluded."pipeline_code", "name" = excluded."name",
        "position" = excluded."position", "default_probability" = excluded."default_probability",
        "is_closed" = excluded."is_closed", "is_won" = excluded."is_won", "is_active" = excluded."is_active",
        "created_at" = excluded."created_at", "updated_at" = excluded."updated_at",
        "deleted_at" = excluded."deleted_at",
        _extraction = excluded._extraction, _loaded_at = excluded._loaded_at
    where c._extraction < excluded._extraction
      and row("c"."stage_id", "c"."pipeline_code", "c"."name", "c"."position", "c"."default_probability",
        "c"."is_closed", "c"."is_won", "c"."is_active", "c"."created_at", "c"."updated_at", "c"."deleted_at")
          is distinct from row("excluded"."stage_id", "excluded"."pipeline_code", "excluded"."name", "excluded"."position",
        "excluded"."default_probability", "excluded"."is_closed", "excluded"."is_won",
        "excluded"."is_active", "excluded"."created_at", "excluded"."updated_at", "excluded"."deleted_at")
    returning old."stage_id" is null as _is_new, new."stage_id",
        array["old"."stage_id"::text] as "_old_entities",
        array[("old"."created_at" at time zone 'UTC')::date] as "_old_days",
        array["new"."stage_id"::text] as "_new_entities",
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
select count(*) filter (where _is_new), count(*) filter (where not _is_new) from merged;

-- reconcile: which of some keys the source has
select "stage_id"::text from "etl"."pipeline_stages" where "stage_id" = any(%(keys)s::uuid[]);

-- reconcile: digests by bucket of the source
select ('x' || left(encode(sha256(convert_to("stage_id"::text, 'UTF8')), 'hex'), 3))::bit(12)::int as bucket, count(*), sum(('x' || left(encode(sha256(convert_to(row("stage_id", "pipeline_code", "name", "position", "default_probability", "is_closed", "is_won",
        "is_active", "created_at", "updated_at", "deleted_at")::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint)
from (
    select "stage_id", "pipeline_code", "name", "position", "default_probability", "is_closed", "is_won",
        "is_active", "created_at", "updated_at", "deleted_at"
    from "etl"."pipeline_stages"
    where "stage_id"::text <> all(%(suppressed)s)
) x where "stage_id" is not null and "stage_id"::text <> all(%(pending)s) group by 1;

-- reconcile: digests by key of the source
select "stage_id"::text collate "C" as key, ('x' || left(encode(sha256(convert_to(row("stage_id", "pipeline_code", "name", "position", "default_probability", "is_closed", "is_won",
        "is_active", "created_at", "updated_at", "deleted_at")::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint as digest, "updated_at" as changed_at
from (
    select "stage_id", "pipeline_code", "name", "position", "default_probability", "is_closed", "is_won",
        "is_active", "created_at", "updated_at", "deleted_at"
    from "etl"."pipeline_stages"
    where "stage_id"::text <> all(%(suppressed)s)
) x
where "stage_id" is not null and "stage_id"::text <> all(%(pending)s) and ('x' || left(encode(sha256(convert_to("stage_id"::text, 'UTF8')), 'hex'), 3))::bit(12)::int = any(%(buckets)s) order by 1;

-- reconcile: digests by bucket of the warehouse
select ('x' || left(encode(sha256(convert_to("stage_id"::text, 'UTF8')), 'hex'), 3))::bit(12)::int as bucket, count(*), sum(('x' || left(encode(sha256(convert_to(row("stage_id", "pipeline_code", "name", "position", "default_probability", "is_closed", "is_won",
        "is_active", "created_at", "updated_at", "deleted_at")::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint)
from (
select "stage_id", "pipeline_code", "name", "position", "default_probability", "is_closed", "is_won",
        "is_active", "created_at", "updated_at", "deleted_at" from "core"."pipeline_stages" c
where not exists (
    select from ops.quarantine q where q.feed = %(feed)s and q.key = c."stage_id"::text and q.released_at is null
) and not exists (
    select from ops.load l where l.feed = %(feed)s and l.extraction = c._extraction and l.mode = 'reconcile'
)
union all
select "r"."stage_id", "r"."pipeline_code", "r"."name", "r"."position", "r"."default_probability",
        "r"."is_closed", "r"."is_won", "r"."is_active", "r"."created_at", "r"."updated_at", "r"."deleted_at" from ops.quarantine q, jsonb_populate_record(null::"staging"."promptcrm__pipeline_stages", q.payload) r
where q.feed = %(feed)s and q.released_at is null
) x where "stage_id" is not null and "stage_id"::text <> all(%(pending)s) group by 1;

-- reconcile: digests by key of the warehouse
select "stage_id"::text collate "C" as key, ('x' || left(encode(sha256(convert_to(row("stage_id", "pipeline_code", "name", "position", "default_probability", "is_closed", "is_won",
        "is_active", "created_at", "updated_at", "deleted_at")::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint as digest, "updated_at" as changed_at
from (
select "stage_id", "pipeline_code", "name", "position", "default_probability", "is_closed", "is_won",
        "is_active", "created_at", "updated_at", "deleted_at" from "core"."pipeline_stages" c
where not exists (
    select from ops.quarantine q where q.feed = %(feed)s and q.key = c."stage_id"::text and q.released_at is null
) and not exists (
    select from ops.load l where l.feed = %(feed)s and l.extraction = c._extraction and l.mode = 'reconcile'
)
union all
select "r"."stage_id", "r"."pipeline_code", "r"."name", "r"."position", "r"."default_probability",
        "r"."is_closed", "r"."is_won", "r"."is_active", "r"."created_at", "r"."updated_at", "r"."deleted_at" from ops.quarantine q, jsonb_populate_record(null::"staging"."promptcrm__pipeline_stages", q.payload) r
where q.feed = %(feed)s and q.released_at is null
) x
where "stage_id" is not null and "stage_id"::text <> all(%(pending)s) and ('x' || left(encode(sha256(convert_to("stage_id"::text, 'UTF8')), 'hex'), 3))::bit(12)::int = any(%(buckets)s) order by 1;

-- reconcile: soft-delete rows that the source no longer has
with merged as (
    update "core"."pipeline_stages" c
    set deleted_at = coalesce(c.deleted_at, %(read_at)s), _extraction = %(extraction)s,
        _loaded_at = clock_timestamp()
    where c."stage_id" = any(%(keys)s::uuid[])
    returning true as _is_gone,
        array["old"."stage_id"::text] as "_old_entities",
        array[("old"."created_at" at time zone 'UTC')::date] as "_old_days",
        array["new"."stage_id"::text] as "_new_entities",
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
select %(feed)s as feed, "stage_id"::text as key, 'core' as place, null::bytea as email_hmac, null::integer as pii_kid,
       "updated_at" as row_changed_at, array_remove(array[]::bytea[], null) as hashes,
       array_remove(array[]::text[], null) as kinds
from "core"."pipeline_stages"
where true and ("stage_id"::text = %(key)s or array[]::bytea[] && %(hashes)s::bytea[]);

-- erase: find a person's rows in quarantine
select %(feed)s as feed, key as key, 'quarantine' as place, null::bytea as email_hmac, (payload ->> 'pii_kid')::integer as pii_kid,
       (payload ->> 'updated_at')::timestamptz as row_changed_at, array_remove(array[]::bytea[], null) as hashes,
       array_remove(array[]::text[], null) as kinds
from ops.quarantine
where feed = %(feed)s and (key = %(key)s or array[]::bytea[] && %(hashes)s::bytea[]);

-- erase: touch the days of rows that name a person
insert into ops.touched (core_table, entity_id, day)
            select distinct %(feed)s, e.entity, (d.moment at time zone 'UTC')::date
    from "core"."pipeline_stages" t cross join unnest(array["t"."stage_id"::text]) e(entity) cross join unnest(array["t"."created_at"]) d(moment)
    where (exists (select from unnest(%(needles)s::text[]) needle where position(needle in lower((t.*)::text)) > 0)) and d.moment is not null and e.entity is not null
            on conflict (core_table, entity_id, day) do update set touched_at = clock_timestamp();
