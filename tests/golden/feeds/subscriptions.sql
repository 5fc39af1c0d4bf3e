-- Written by `python -m tests.golden` from warehouse/core/subscriptions; do not edit.
-- The statements are as psycopg gets them: %(name)s and %s stand for parameters, %% for a percent sign.

-- provision: the hashing view at the source
drop view if exists "etl"."subscriptions";
grant usage on schema "promptsales" to etl_owner;
revoke select on "promptsales"."subscriptions" from etl_owner;
grant select ("created_at", "deleted_at", "end_date", "id", "plan_type", "start_date", "status", "updated_at",
        "user_id") on "promptsales"."subscriptions" to etl_owner;
create view "etl"."subscriptions" with (security_barrier) as
    select "id" as "subscription_id", "user_id" as "user_id", "plan_type" as "plan_type", "status" as "status",
        "start_date" at time zone 'UTC' as "starts_at", "end_date" at time zone 'UTC' as "ends_at",
        "created_at" as "created_at", "updated_at" as "updated_at", "deleted_at" as "deleted_at"
    from "promptsales"."subscriptions";
alter view "etl"."subscriptions" owner to etl_owner;
grant select on "etl"."subscriptions" to etl_reader;

-- provision: the staging table
drop table if exists "staging"."promptsales__subscriptions";
create unlogged table "staging"."promptsales__subscriptions" (
        "subscription_id" uuid, "user_id" uuid, "plan_type" character varying(50),
        "status" character varying(20), "starts_at" timestamp with time zone,
        "ends_at" timestamp with time zone, "created_at" timestamp with time zone,
        "updated_at" timestamp with time zone, "deleted_at" timestamp with time zone,
        "_load_id" bigint not null, "_row" bigint not null generated always as identity, "_rules" text[],
        "_misfits" text[]
);
comment on table "staging"."promptsales__subscriptions" is 'Rows of promptsales.subscriptions on their way into core.subscriptions; emptied by each load.';

-- extract: a first load
copy (
    select "subscription_id", "user_id", "plan_type", "status", "starts_at", "ends_at", "created_at",
        "updated_at", "deleted_at", 42::bigint
    from "etl"."subscriptions"
    where true
) to stdout (format binary); -- noqa

-- extract: a delta
copy (
    select "subscription_id", "user_id", "plan_type", "status", "starts_at", "ends_at", "created_at",
        "updated_at", "deleted_at", 42::bigint
    from "etl"."subscriptions"
    where "updated_at" >= '2026-01-02 03:04:05+00:00'::timestamptz
) to stdout (format binary); -- noqa

-- extract: a delta with the quarantined keys that are due
copy (
    select "subscription_id", "user_id", "plan_type", "status", "starts_at", "ends_at", "created_at",
        "updated_at", "deleted_at", 42::bigint
    from "etl"."subscriptions"
    where ("updated_at" >= '2026-01-02 03:04:05+00:00'::timestamptz or "subscription_id" = any('{"a key","another key"}'::uuid[]))
) to stdout (format binary); -- noqa

-- extract: a window
copy (
    select "subscription_id", "user_id", "plan_type", "status", "starts_at", "ends_at", "created_at",
        "updated_at", "deleted_at", 42::bigint
    from "etl"."subscriptions"
    where "updated_at" >= '2026-01-01 00:00:00+00:00'::timestamptz and "updated_at" < '2026-02-01 00:00:00+00:00'::timestamptz
) to stdout (format binary); -- noqa

-- stage: empty the staging table
truncate "staging"."promptsales__subscriptions";

-- stage: copy rows into staging
copy "staging"."promptsales__subscriptions" ("subscription_id", "user_id", "plan_type", "status", "starts_at", "ends_at", "created_at",
                "updated_at", "deleted_at", _load_id) from stdin (format binary); -- noqa

-- suppress: find rows of erased persons that core still has
select x.key, x.person_hmac, x.pii_kid, x.row_changed_at
from ops.suppression x join "staging"."promptsales__subscriptions" s on x.key = s."subscription_id"::text
where x.feed = %(feed)s and exists (select from "core"."subscriptions" c where c."subscription_id" = s."subscription_id");

-- suppress: drop rows of erased persons
delete from "staging"."promptsales__subscriptions" s using ops.suppression x where x.feed = %(feed)s and x.key = s."subscription_id"::text;

-- suppress: replace references to erased persons
update "staging"."promptsales__subscriptions"
set "user_id" = case when "user_id"::text in (select key from ops.suppression where length(key) >= 16)
            then '00000000-0000-0000-0000-000000000000' else "user_id" end
where "user_id"::text in (select key from ops.suppression where length(key) >= 16);

-- stage: drop rows that are in quarantine unchanged
delete from "staging"."promptsales__subscriptions" s using ops.quarantine q
where q.feed = %(feed)s
  and q.key = coalesce(s."subscription_id"::text, 'without key ' || md5((to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end)::text))
  and q.released_at is null and not q.is_waived
  and q.suite_checksum = %(suite_checksum)s and q.last_tried_at >= %(read_at)s - interval '1 day'
  and q.payload = to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end;

-- stage: analyze
analyze "staging"."promptsales__subscriptions" ("subscription_id", "updated_at");

-- stage: drop rows that equal core
delete from "staging"."promptsales__subscriptions" s using "core"."subscriptions" c
where s."updated_at" <= %(seen_through)s and s._misfits is null
  and c."subscription_id" = s."subscription_id"
  and row("s"."subscription_id", "s"."user_id", "s"."plan_type", "s"."status", "s"."starts_at", "s"."ends_at",
        "s"."created_at", "s"."updated_at", "s"."deleted_at")
      is not distinct from row("c"."subscription_id", "c"."user_id", "c"."plan_type", "c"."status", "c"."starts_at", "c"."ends_at",
        "c"."created_at", "c"."updated_at", "c"."deleted_at")
  and not exists (
      select from ops.quarantine q where q.feed = %(feed)s and q.key = s."subscription_id"::text and q.released_at is null
  );

-- check: count the staged rows
select count(*) from "staging"."promptsales__subscriptions" where _load_id = %(extraction)s;

-- check: clear earlier verdicts
update "staging"."promptsales__subscriptions" set _rules = _misfits where _rules is distinct from _misfits;

-- check: mark rows by number
update "staging"."promptsales__subscriptions" set _rules = array_append(_rules, %(rule)s) where _row = any(%(rows)s);

-- check: let rows pass that were released by hand
update "staging"."promptsales__subscriptions" s set _rules = null from ops.quarantine q
where s._rules is not null and q.feed = %(feed)s and q.key = s."subscription_id"::text
  and q.is_waived
  and (q.payload = to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end
       -- hashed with another key since, but the same version: the cursor is part of it
       or q.payload -> 'pii_kid' <> to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end -> 'pii_kid'
          and q.payload - '{pii_kid}'::text[] = to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end - '{pii_kid}'::text[]);

-- check: count the marked rows
select count(*) from "staging"."promptsales__subscriptions" where _rules is not null;

-- publish: release rows from quarantine
update ops.quarantine q
set released_at = clock_timestamp(), release_reason = case when false then 'deleted' when q.is_waived then 'waived' else 'repaired' end
from "staging"."promptsales__subscriptions" s
where s._rules is null and q.feed = %(feed)s and q.key = s."subscription_id"::text and q.released_at is null;

-- publish: move marked rows to quarantine
insert into ops.quarantine as q (feed, key, extraction, rules, suite_checksum, payload, is_core_stale)
select distinct on (coalesce(s."subscription_id"::text, 'without key ' || md5((to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end)::text)))
       %(feed)s,
       coalesce(s."subscription_id"::text, 'without key ' || md5((to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end)::text)),
       %(extraction)s, s._rules, %(suite_checksum)s,
       to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end,
       exists (select from "core"."subscriptions" c where c."subscription_id" = s."subscription_id")
from "staging"."promptsales__subscriptions" s where s._rules is not null
on conflict (feed, key) where released_at is null do update
set extraction = excluded.extraction, rules = excluded.rules, suite_checksum = excluded.suite_checksum,
    payload = excluded.payload, is_core_stale = excluded.is_core_stale, is_waived = false,
    last_tried_at = clock_timestamp(), tries = q.tries + 1;

-- publish: a first load of core.subscriptions
select ops.insert_first_rows('subscriptions', 'promptsales__subscriptions', %(extraction)s);

-- publish: note the days of a first load
with merged as (
    select array["new"."user_id"::text] as "_new_entities",
        array[("new"."starts_at" at time zone 'UTC')::date] as "_new_days"
    from "staging"."promptsales__subscriptions" as new where _rules is null
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

-- publish: upsert into core.subscriptions
with merged as (
    insert into "core"."subscriptions" as c ("subscription_id", "user_id", "plan_type", "status", "starts_at", "ends_at", "created_at",
        "updated_at", "deleted_at",
        _extraction, _loaded_at)
    select "subscription_id", "user_id", "plan_type", "status", "starts_at", "ends_at", "created_at",
        "updated_at", "deleted_at",
        %(extraction)s, clock_timestamp()
    from "staging"."promptsales__subscriptions" where _rules is null order by "subscription_id"
    on conflict ("subscription_id") do update
    set "user_id" = excluded."user_id", "plan_type" = excluded."plan_type", "status" = excluded."status",
        "starts_at" = excluded."starts_at", "ends_at" = excluded."ends_at",
        "created_at" = excluded."created_at", "updated_at" = excluded."updated_at",
        "deleted_at" = excluded."deleted_at",
        _extraction = excluded._extraction, _loaded_at = excluded._loaded_at
    where c._extraction < excluded._extraction
      and row("c"."subscription_id", "c"."user_id", "c"."plan_type", "c"."status", "c"."starts_at", "c"."ends_at",
        "c"."created_at", "c"."updated_at", "c"."deleted_at")
          is distinct from row("excluded"."subscription_id", "excluded"."user_id", "excluded"."plan_type", "excluded"."status",
        "excluded"."starts_at", "excluded"."ends_at", "excluded"."created_at", "excluded"."updated_at",
        "excluded"."deleted_at")
    returning old."subscription_id" is null as _is_new, new."subscription_id",
        new."updated_at" as _changed_at, "new"."status", "new"."plan_type",
        row("old"."status", "old"."plan_type") is distinct from row("new"."status", "new"."plan_type") as _is_new_version,
        array["old"."user_id"::text] as "_old_entities",
        array[("old"."starts_at" at time zone 'UTC')::date] as "_old_days",
        array["new"."user_id"::text] as "_new_entities",
        array[("new"."starts_at" at time zone 'UTC')::date] as "_new_days"
), ended as (
    insert into "core"."subscriptions_history" as h ("subscription_id", "status", "plan_type", valid_from, valid_to)
    select "subscription_id", "status", "plan_type", case when _is_new then '-infinity' else _changed_at end, 'infinity'
    from merged where _is_new or _is_new_version
    on conflict ("subscription_id") where valid_to = 'infinity' do update
    set valid_to = coalesce(
        nullif(
            greatest(nullif(excluded.valid_from, '-infinity'), h.valid_from + interval '1 microsecond'),
            '-infinity'
        ),
        clock_timestamp()
    )
    where row("h"."status", "h"."plan_type") is distinct from row("excluded"."status", "excluded"."plan_type")
    returning old."subscription_id" is not null as _is_ended, new."subscription_id", new.valid_to as _valid_to
), begun as (
    insert into "core"."subscriptions_history" ("subscription_id", "status", "plan_type", valid_from, valid_to)
    select "subscription_id", "status", "plan_type", _valid_to, 'infinity'
    from ended join merged using ("subscription_id") where _is_ended
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
select "subscription_id"::text from "etl"."subscriptions" where "subscription_id" = any(%(keys)s::uuid[]);

-- reconcile: digests by bucket of the source
select ('x' || left(encode(sha256(convert_to("subscription_id"::text, 'UTF8')), 'hex'), 3))::bit(12)::int as bucket, count(*), sum(('x' || left(encode(sha256(convert_to(row("subscription_id", "user_id", "plan_type", "status", "starts_at", "ends_at", "created_at",
        "updated_at", "deleted_at")::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint)
from (
    select "subscription_id",
        case when "user_id"::text = any(%(erased)s) then '00000000-0000-0000-0000-000000000000' else "user_id" end as "user_id",
        "plan_type", "status", "starts_at", "ends_at", "created_at", "updated_at", "deleted_at"
    from "etl"."subscriptions"
    where "subscription_id"::text <> all(%(suppressed)s)
) x where "subscription_id" is not null and "subscription_id"::text <> all(%(pending)s) group by 1;

-- reconcile: digests by key of the source
select "subscription_id"::text collate "C" as key, ('x' || left(encode(sha256(convert_to(row("subscription_id", "user_id", "plan_type", "status", "starts_at", "ends_at", "created_at",
        "updated_at", "deleted_at")::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint as digest, "updated_at" as changed_at
from (
    select "subscription_id",
        case when "user_id"::text = any(%(erased)s) then '00000000-0000-0000-0000-000000000000' else "user_id" end as "user_id",
        "plan_type", "status", "starts_at", "ends_at", "created_at", "updated_at", "deleted_at"
    from "etl"."subscriptions"
    where "subscription_id"::text <> all(%(suppressed)s)
) x
where "subscription_id" is not null and "subscription_id"::text <> all(%(pending)s) and ('x' || left(encode(sha256(convert_to("subscription_id"::text, 'UTF8')), 'hex'), 3))::bit(12)::int = any(%(buckets)s) order by 1;

-- reconcile: digests by bucket of the warehouse
select ('x' || left(encode(sha256(convert_to("subscription_id"::text, 'UTF8')), 'hex'), 3))::bit(12)::int as bucket, count(*), sum(('x' || left(encode(sha256(convert_to(row("subscription_id", "user_id", "plan_type", "status", "starts_at", "ends_at", "created_at",
        "updated_at", "deleted_at")::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint)
from (
select "subscription_id", "user_id", "plan_type", "status", "starts_at", "ends_at", "created_at",
        "updated_at", "deleted_at" from "core"."subscriptions" c
where not exists (
    select from ops.quarantine q where q.feed = %(feed)s and q.key = c."subscription_id"::text and q.released_at is null
) and not exists (
    select from ops.load l where l.feed = %(feed)s and l.extraction = c._extraction and l.mode = 'reconcile'
)
union all
select "r"."subscription_id", "r"."user_id", "r"."plan_type", "r"."status", "r"."starts_at", "r"."ends_at",
        "r"."created_at", "r"."updated_at", "r"."deleted_at" from ops.quarantine q, jsonb_populate_record(null::"staging"."promptsales__subscriptions", q.payload) r
where q.feed = %(feed)s and q.released_at is null
) x where "subscription_id" is not null and "subscription_id"::text <> all(%(pending)s) group by 1;

-- reconcile: digests by key of the warehouse
select "subscription_id"::text collate "C" as key, ('x' || left(encode(sha256(convert_to(row("subscription_id", "user_id", "plan_type", "status", "starts_at", "ends_at", "created_at",
        "updated_at", "deleted_at")::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint as digest, "updated_at" as changed_at
from (
select "subscription_id", "user_id", "plan_type", "status", "starts_at", "ends_at", "created_at",
        "updated_at", "deleted_at" from "core"."subscriptions" c
where not exists (
    select from ops.quarantine q where q.feed = %(feed)s and q.key = c."subscription_id"::text and q.released_at is null
) and not exists (
    select from ops.load l where l.feed = %(feed)s and l.extraction = c._extraction and l.mode = 'reconcile'
)
union all
select "r"."subscription_id", "r"."user_id", "r"."plan_type", "r"."status", "r"."starts_at", "r"."ends_at",
        "r"."created_at", "r"."updated_at", "r"."deleted_at" from ops.quarantine q, jsonb_populate_record(null::"staging"."promptsales__subscriptions", q.payload) r
where q.feed = %(feed)s and q.released_at is null
) x
where "subscription_id" is not null and "subscription_id"::text <> all(%(pending)s) and ('x' || left(encode(sha256(convert_to("subscription_id"::text, 'UTF8')), 'hex'), 3))::bit(12)::int = any(%(buckets)s) order by 1;

-- reconcile: soft-delete rows that the source no longer has
with merged as (
    update "core"."subscriptions" c
    set deleted_at = coalesce(c.deleted_at, %(read_at)s), _extraction = %(extraction)s,
        _loaded_at = clock_timestamp()
    where c."subscription_id" = any(%(keys)s::uuid[])
    returning true as _is_gone,
        array["old"."user_id"::text] as "_old_entities",
        array[("old"."starts_at" at time zone 'UTC')::date] as "_old_days",
        array["new"."user_id"::text] as "_new_entities",
        array[("new"."starts_at" at time zone 'UTC')::date] as "_new_days"
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
select %(feed)s as feed, "subscription_id"::text as key, 'core' as place, null::bytea as email_hmac, null::integer as pii_kid,
       "updated_at" as row_changed_at, array_remove(array[]::bytea[], null) as hashes,
       array_remove(array[]::text[], null) as kinds
from "core"."subscriptions"
where true and ("subscription_id"::text = %(key)s or array[]::bytea[] && %(hashes)s::bytea[]);

-- erase: find a person's rows in quarantine
select %(feed)s as feed, key as key, 'quarantine' as place, null::bytea as email_hmac, (payload ->> 'pii_kid')::integer as pii_kid,
       (payload ->> 'updated_at')::timestamptz as row_changed_at, array_remove(array[]::bytea[], null) as hashes,
       array_remove(array[]::text[], null) as kinds
from ops.quarantine
where feed = %(feed)s and (key = %(key)s or array[]::bytea[] && %(hashes)s::bytea[]);

-- erase: touch the days of rows that name a person
insert into ops.touched (core_table, entity_id, day)
            select distinct %(feed)s, e.entity, (d.moment at time zone 'UTC')::date
    from "core"."subscriptions" t cross join unnest(array["t"."user_id"::text]) e(entity) cross join unnest(array["t"."starts_at"]) d(moment)
    where (exists (select from unnest(%(needles)s::text[]) needle where position(needle in lower((t.*)::text)) > 0) or "subscription_id" in (select "subscription_id" from "core"."subscriptions_history" t where exists (select from unnest(%(needles)s::text[]) needle where position(needle in lower((t.*)::text)) > 0))) and d.moment is not null and e.entity is not null
            on conflict (core_table, entity_id, day) do update set touched_at = clock_timestamp();
