-- Written by `python -m tests.golden` from warehouse/core/activities; do not edit.
-- The statements are as psycopg gets them: %(name)s and %s stand for parameters, %% for a percent sign.

-- provision: the hashing view at the source
drop view if exists "etl"."activities";
grant usage on schema "crm" to etl_owner;
revoke select on "crm"."activities" from etl_owner;
grant select ("account_id", "activity_type", "completed_at", "contact_id", "created_at", "deleted_at", "direction",
        "due_at", "duration_seconds", "id", "lead_id", "occurred_at", "opportunity_id", "owner_user_id",
        "updated_at") on "crm"."activities" to etl_owner;
create view "etl"."activities" with (security_barrier) as
    select "id" as "activity_id", "owner_user_id" as "owner_user_id", "activity_type" as "activity_type",
        "direction" as "direction", "lead_id" as "lead_id", "contact_id" as "contact_id",
        "account_id" as "account_id", "opportunity_id" as "opportunity_id", "occurred_at" as "occurred_at",
        "due_at" as "due_at", "completed_at" as "completed_at", "duration_seconds" as "duration_seconds",
        "created_at" as "created_at", "updated_at" as "updated_at", "deleted_at" as "deleted_at"
    from "crm"."activities";
alter view "etl"."activities" owner to etl_owner;
grant select on "etl"."activities" to etl_reader;

-- provision: the staging table
drop table if exists "staging"."promptcrm__activities";
create unlogged table "staging"."promptcrm__activities" (
        "activity_id" uuid, "owner_user_id" uuid, "activity_type" character varying(20),
        "direction" character varying(10), "lead_id" uuid, "contact_id" uuid, "account_id" uuid,
        "opportunity_id" uuid, "occurred_at" timestamp with time zone, "due_at" timestamp with time zone,
        "completed_at" timestamp with time zone, "duration_seconds" integer,
        "created_at" timestamp with time zone, "updated_at" timestamp with time zone,
        "deleted_at" timestamp with time zone, "_load_id" bigint not null,
        "_row" bigint not null generated always as identity, "_rules" text[], "_misfits" text[]
);
comment on table "staging"."promptcrm__activities" is 'Rows of crm.activities on their way into core.activities; emptied by each load.';

-- extract: a first load
copy (
    select "activity_id", "owner_user_id", "activity_type", "direction", "lead_id", "contact_id", "account_id",
        "opportunity_id", "occurred_at", "due_at", "completed_at", "duration_seconds", "created_at",
        "updated_at", "deleted_at", 42::bigint
    from "etl"."activities"
    where true
) to stdout (format binary); -- noqa

-- extract: a delta
copy (
    select "activity_id", "owner_user_id", "activity_type", "direction", "lead_id", "contact_id", "account_id",
        "opportunity_id", "occurred_at", "due_at", "completed_at", "duration_seconds", "created_at",
        "updated_at", "deleted_at", 42::bigint
    from "etl"."activities"
    where "updated_at" >= '2026-01-02 03:04:05+00:00'::timestamptz
) to stdout (format binary); -- noqa

-- extract: a delta with the quarantined keys that are due
copy (
    select "activity_id", "owner_user_id", "activity_type", "direction", "lead_id", "contact_id", "account_id",
        "opportunity_id", "occurred_at", "due_at", "completed_at", "duration_seconds", "created_at",
        "updated_at", "deleted_at", 42::bigint
    from "etl"."activities"
    where ("updated_at" >= '2026-01-02 03:04:05+00:00'::timestamptz or "activity_id" = any('{"a key","another key"}'::uuid[]))
) to stdout (format binary); -- noqa

-- extract: a window
copy (
    select "activity_id", "owner_user_id", "activity_type", "direction", "lead_id", "contact_id", "account_id",
        "opportunity_id", "occurred_at", "due_at", "completed_at", "duration_seconds", "created_at",
        "updated_at", "deleted_at", 42::bigint
    from "etl"."activities"
    where "updated_at" >= '2026-01-01 00:00:00+00:00'::timestamptz and "updated_at" < '2026-02-01 00:00:00+00:00'::timestamptz
) to stdout (format binary); -- noqa

-- stage: empty the staging table
truncate "staging"."promptcrm__activities";

-- stage: copy rows into staging
copy "staging"."promptcrm__activities" ("activity_id", "owner_user_id", "activity_type", "direction", "lead_id", "contact_id", "account_id",
                "opportunity_id", "occurred_at", "due_at", "completed_at", "duration_seconds", "created_at",
                "updated_at", "deleted_at", _load_id) from stdin (format binary); -- noqa

-- suppress: find rows of erased persons that core still has
select x.key, x.person_hmac, x.pii_kid, x.row_changed_at
from ops.suppression x join "staging"."promptcrm__activities" s on x.key = s."activity_id"::text
where x.feed = %(feed)s and exists (select from "core"."activities" c where c."activity_id" = s."activity_id");

-- suppress: drop rows of erased persons
delete from "staging"."promptcrm__activities" s using ops.suppression x where x.feed = %(feed)s and x.key = s."activity_id"::text;

-- suppress: replace references to erased persons
update "staging"."promptcrm__activities"
set "owner_user_id" = case when "owner_user_id"::text in (select key from ops.suppression where length(key) >= 16)
            then '00000000-0000-0000-0000-000000000000' else "owner_user_id" end,
        "lead_id" = case when "lead_id"::text in (select key from ops.suppression where length(key) >= 16)
            then '00000000-0000-0000-0000-000000000000' else "lead_id" end,
        "contact_id" = case when "contact_id"::text in (select key from ops.suppression where length(key) >= 16)
            then '00000000-0000-0000-0000-000000000000' else "contact_id" end,
        "account_id" = case when "account_id"::text in (select key from ops.suppression where length(key) >= 16)
            then '00000000-0000-0000-0000-000000000000' else "account_id" end,
        "opportunity_id" = case when "opportunity_id"::text in (select key from ops.suppression where length(key) >= 16)
            then '00000000-0000-0000-0000-000000000000' else "opportunity_id" end
where "owner_user_id"::text in (select key from ops.suppression where length(key) >= 16) or
        "lead_id"::text in (select key from ops.suppression where length(key) >= 16) or
        "contact_id"::text in (select key from ops.suppression where length(key) >= 16) or
        "account_id"::text in (select key from ops.suppression where length(key) >= 16) or
        "opportunity_id"::text in (select key from ops.suppression where length(key) >= 16);

-- stage: drop rows that are in quarantine unchanged
delete from "staging"."promptcrm__activities" s using ops.quarantine q
where q.feed = %(feed)s
  and q.key = coalesce(s."activity_id"::text, 'without key ' || md5((to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end)::text))
  and q.released_at is null and not q.is_waived
  and q.suite_checksum = %(suite_checksum)s and q.last_tried_at >= %(read_at)s - interval '1 day'
  and q.payload = to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end;

-- stage: analyze
analyze "staging"."promptcrm__activities" ("activity_id", "updated_at");

-- stage: drop rows that equal core
delete from "staging"."promptcrm__activities" s using "core"."activities" c
where s."updated_at" <= %(seen_through)s and s._misfits is null
  and c."activity_id" = s."activity_id"
  and row("s"."activity_id", "s"."owner_user_id", "s"."activity_type", "s"."direction", "s"."lead_id",
        "s"."contact_id", "s"."account_id", "s"."opportunity_id", "s"."occurred_at", "s"."due_at",
        "s"."completed_at", "s"."duration_seconds", "s"."created_at", "s"."updated_at", "s"."deleted_at")
      is not distinct from row("c"."activity_id", "c"."owner_user_id", "c"."activity_type", "c"."direction", "c"."lead_id",
        "c"."contact_id", "c"."account_id", "c"."opportunity_id", "c"."occurred_at", "c"."due_at",
        "c"."completed_at", "c"."duration_seconds", "c"."created_at", "c"."updated_at", "c"."deleted_at")
  and not exists (
      select from ops.quarantine q where q.feed = %(feed)s and q.key = s."activity_id"::text and q.released_at is null
  );

-- check: count the staged rows
select count(*) from "staging"."promptcrm__activities" where _load_id = %(extraction)s;

-- check: clear earlier verdicts
update "staging"."promptcrm__activities" set _rules = _misfits where _rules is distinct from _misfits;

-- check: mark rows by number
update "staging"."promptcrm__activities" set _rules = array_append(_rules, %(rule)s) where _row = any(%(rows)s);

-- check: let rows pass that were released by hand
update "staging"."promptcrm__activities" s set _rules = null from ops.quarantine q
where s._rules is not null and q.feed = %(feed)s and q.key = s."activity_id"::text
  and q.is_waived
  and (q.payload = to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end
       -- hashed with another key since, but the same version: the cursor is part of it
       or q.payload -> 'pii_kid' <> to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end -> 'pii_kid'
          and q.payload - '{pii_kid}'::text[] = to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end - '{pii_kid}'::text[]);

-- check: count the marked rows
select count(*) from "staging"."promptcrm__activities" where _rules is not null;

-- publish: release rows from quarantine
update ops.quarantine q
set released_at = clock_timestamp(), release_reason = case when false then 'deleted' when q.is_waived then 'waived' else 'repaired' end
from "staging"."promptcrm__activities" s
where s._rules is null and q.feed = %(feed)s and q.key = s."activity_id"::text and q.released_at is null;

-- publish: move marked rows to quarantine
insert into ops.quarantine as q (feed, key, extraction, rules, suite_checksum, payload, is_core_stale)
select distinct on (coalesce(s."activity_id"::text, 'without key ' || md5((to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end)::text)))
       %(feed)s,
       coalesce(s."activity_id"::text, 'without key ' || md5((to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end)::text)),
       %(extraction)s, s._rules, %(suite_checksum)s,
       to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end,
       exists (select from "core"."activities" c where c."activity_id" = s."activity_id")
from "staging"."promptcrm__activities" s where s._rules is not null
on conflict (feed, key) where released_at is null do update
set extraction = excluded.extraction, rules = excluded.rules, suite_checksum = excluded.suite_checksum,
    payload = excluded.payload, is_core_stale = excluded.is_core_stale, is_waived = false,
    last_tried_at = clock_timestamp(), tries = q.tries + 1;

-- publish: a first load of core.activities
select ops.insert_first_rows('activities', 'promptcrm__activities', %(extraction)s);

-- publish: upsert into core.activities
with merged as (
    insert into "core"."activities" as c ("activity_id", "owner_user_id", "activity_type", "direction", "lead_id", "contact_id", "account_id",
        "opportunity_id", "occurred_at", "due_at", "completed_at", "duration_seconds", "created_at",
        "updated_at", "deleted_at",
        _extraction, _loaded_at)
    select "activity_id", "owner_user_id", "activity_type", "direction", "lead_id", "contact_id", "account_id",
        "opportunity_id", "occurred_at", "due_at", "completed_at", "duration_seconds", "created_at",
        "updated_at", "deleted_at",
        %(extraction)s, clock_timestamp()
    from "staging"."promptcrm__activities" where _rules is null order by "activity_id"
    on conflict ("activity_id") do update
    set "owner_user_id" = excluded."owner_user_id", "activity_type" = excluded."activity_type",
        "direction" = excluded."direction", "lead_id" = excluded."lead_id",
        "contact_id" = excluded."contact_id", "account_id" = excluded."account_id",
        "opportunity_id" = excluded."opportunity_id", "occurred_at" = excluded."occurred_at",
        "due_at" = excluded."due_at", "completed_at" = excluded."completed_at",
        "duration_seconds" = excluded."duration_seconds", "created_at" = excluded."created_at",
        "updated_at" = excluded."updated_at", "deleted_at" = excluded."deleted_at",
        _extraction = excluded._extraction, _loaded_at = excluded._loaded_at
    where c._extraction < excluded._extraction
      and row("c"."activity_id", "c"."owner_user_id", "c"."activity_type", "c"."direction", "c"."lead_id",
        "c"."contact_id", "c"."account_id", "c"."opportunity_id", "c"."occurred_at", "c"."due_at",
        "c"."completed_at", "c"."duration_seconds", "c"."created_at", "c"."updated_at", "c"."deleted_at")
          is distinct from row("excluded"."activity_id", "excluded"."owner_user_id", "excluded"."activity_type",
        "excluded"."direction", "excluded"."lead_id", "excluded"."contact_id", "excluded"."account_id",
        "excluded"."opportunity_id", "excluded"."occurred_at", "excluded"."due_at",
        "excluded"."completed_at", "excluded"."duration_seconds", "excluded"."created_at",
        "excluded"."updated_at", "excluded"."deleted_at")
    returning old."activity_id" is null as _is_new, new."activity_id"
)
select count(*) filter (where _is_new), count(*) filter (where not _is_new) from merged;

-- reconcile: which of some keys the source has
select "activity_id"::text from "etl"."activities" where "activity_id" = any(%(keys)s::uuid[]);

-- reconcile: digests by bucket of the source
select ('x' || left(encode(sha256(convert_to("activity_id"::text, 'UTF8')), 'hex'), 3))::bit(12)::int as bucket, count(*), sum(('x' || left(encode(sha256(convert_to(row("activity_id", "owner_user_id", "activity_type", "direction", "lead_id", "contact_id", "account_id",
        "opportunity_id", "occurred_at", "due_at", "completed_at", "duration_seconds", "created_at",
        "updated_at", "deleted_at")::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint)
from (
    select "activity_id",
        case when "owner_user_id"::text = any(%(erased)s) then '00000000-0000-0000-0000-000000000000' else "owner_user_id" end as "owner_user_id",
        "activity_type", "direction",
        case when "lead_id"::text = any(%(erased)s) then '00000000-0000-0000-0000-000000000000' else "lead_id" end as "lead_id",
        case when "contact_id"::text = any(%(erased)s) then '00000000-0000-0000-0000-000000000000' else "contact_id" end as "contact_id",
        case when "account_id"::text = any(%(erased)s) then '00000000-0000-0000-0000-000000000000' else "account_id" end as "account_id",
        case when "opportunity_id"::text = any(%(erased)s) then '00000000-0000-0000-0000-000000000000' else "opportunity_id" end as "opportunity_id",
        "occurred_at", "due_at", "completed_at", "duration_seconds", "created_at", "updated_at",
        "deleted_at"
    from "etl"."activities"
    where "activity_id"::text <> all(%(suppressed)s)
) x where "activity_id" is not null and "activity_id"::text <> all(%(pending)s) group by 1;

-- reconcile: digests by key of the source
select "activity_id"::text collate "C" as key, ('x' || left(encode(sha256(convert_to(row("activity_id", "owner_user_id", "activity_type", "direction", "lead_id", "contact_id", "account_id",
        "opportunity_id", "occurred_at", "due_at", "completed_at", "duration_seconds", "created_at",
        "updated_at", "deleted_at")::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint as digest, "updated_at" as changed_at
from (
    select "activity_id",
        case when "owner_user_id"::text = any(%(erased)s) then '00000000-0000-0000-0000-000000000000' else "owner_user_id" end as "owner_user_id",
        "activity_type", "direction",
        case when "lead_id"::text = any(%(erased)s) then '00000000-0000-0000-0000-000000000000' else "lead_id" end as "lead_id",
        case when "contact_id"::text = any(%(erased)s) then '00000000-0000-0000-0000-000000000000' else "contact_id" end as "contact_id",
        case when "account_id"::text = any(%(erased)s) then '00000000-0000-0000-0000-000000000000' else "account_id" end as "account_id",
        case when "opportunity_id"::text = any(%(erased)s) then '00000000-0000-0000-0000-000000000000' else "opportunity_id" end as "opportunity_id",
        "occurred_at", "due_at", "completed_at", "duration_seconds", "created_at", "updated_at",
        "deleted_at"
    from "etl"."activities"
    where "activity_id"::text <> all(%(suppressed)s)
) x
where "activity_id" is not null and "activity_id"::text <> all(%(pending)s) and ('x' || left(encode(sha256(convert_to("activity_id"::text, 'UTF8')), 'hex'), 3))::bit(12)::int = any(%(buckets)s) order by 1;

-- reconcile: digests by bucket of the warehouse
select ('x' || left(encode(sha256(convert_to("activity_id"::text, 'UTF8')), 'hex'), 3))::bit(12)::int as bucket, count(*), sum(('x' || left(encode(sha256(convert_to(row("activity_id", "owner_user_id", "activity_type", "direction", "lead_id", "contact_id", "account_id",
        "opportunity_id", "occurred_at", "due_at", "completed_at", "duration_seconds", "created_at",
        "updated_at", "deleted_at")::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint)
from (
select "activity_id", "owner_user_id", "activity_type", "direction", "lead_id", "contact_id", "account_id",
        "opportunity_id", "occurred_at", "due_at", "completed_at", "duration_seconds", "created_at",
        "updated_at", "deleted_at" from "core"."activities" c
where not exists (
    select from ops.quarantine q where q.feed = %(feed)s and q.key = c."activity_id"::text and q.released_at is null
) and not exists (
    select from ops.load l where l.feed = %(feed)s and l.extraction = c._extraction and l.mode = 'reconcile'
)
union all
select "r"."activity_id", "r"."owner_user_id", "r"."activity_type", "r"."direction", "r"."lead_id",
        "r"."contact_id", "r"."account_id", "r"."opportunity_id", "r"."occurred_at", "r"."due_at",
        "r"."completed_at", "r"."duration_seconds", "r"."created_at", "r"."updated_at", "r"."deleted_at" from ops.quarantine q, jsonb_populate_record(null::"staging"."promptcrm__activities", q.payload) r
where q.feed = %(feed)s and q.released_at is null
) x where "activity_id" is not null and "activity_id"::text <> all(%(pending)s) group by 1;

-- reconcile: digests by key of the warehouse
select "activity_id"::text collate "C" as key, ('x' || left(encode(sha256(convert_to(row("activity_id", "owner_user_id", "activity_type", "direction", "lead_id", "contact_id", "account_id",
        "opportunity_id", "occurred_at", "due_at", "completed_at", "duration_seconds", "created_at",
        "updated_at", "deleted_at")::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint as digest, "updated_at" as changed_at
from (
select "activity_id", "owner_user_id", "activity_type", "direction", "lead_id", "contact_id", "account_id",
        "opportunity_id", "occurred_at", "due_at", "completed_at", "duration_seconds", "created_at",
        "updated_at", "deleted_at" from "core"."activities" c
where not exists (
    select from ops.quarantine q where q.feed = %(feed)s and q.key = c."activity_id"::text and q.released_at is null
) and not exists (
    select from ops.load l where l.feed = %(feed)s and l.extraction = c._extraction and l.mode = 'reconcile'
)
union all
select "r"."activity_id", "r"."owner_user_id", "r"."activity_type", "r"."direction", "r"."lead_id",
        "r"."contact_id", "r"."account_id", "r"."opportunity_id", "r"."occurred_at", "r"."due_at",
        "r"."completed_at", "r"."duration_seconds", "r"."created_at", "r"."updated_at", "r"."deleted_at" from ops.quarantine q, jsonb_populate_record(null::"staging"."promptcrm__activities", q.payload) r
where q.feed = %(feed)s and q.released_at is null
) x
where "activity_id" is not null and "activity_id"::text <> all(%(pending)s) and ('x' || left(encode(sha256(convert_to("activity_id"::text, 'UTF8')), 'hex'), 3))::bit(12)::int = any(%(buckets)s) order by 1;

-- reconcile: soft-delete rows that the source no longer has
with merged as (
    update "core"."activities" c
    set deleted_at = coalesce(c.deleted_at, %(read_at)s), _extraction = %(extraction)s,
        _loaded_at = clock_timestamp()
    where c."activity_id" = any(%(keys)s::uuid[])
    returning true as _is_gone
)
select count(*) from merged;

-- erase: find a person's rows in core
select %(feed)s as feed, "activity_id"::text as key, 'core' as place, null::bytea as email_hmac, null::integer as pii_kid,
       "updated_at" as row_changed_at, array_remove(array[]::bytea[], null) as hashes,
       array_remove(array[]::text[], null) as kinds
from "core"."activities"
where true and ("activity_id"::text = %(key)s or array[]::bytea[] && %(hashes)s::bytea[]);

-- erase: find a person's rows in quarantine
select %(feed)s as feed, key as key, 'quarantine' as place, null::bytea as email_hmac, (payload ->> 'pii_kid')::integer as pii_kid,
       (payload ->> 'updated_at')::timestamptz as row_changed_at, array_remove(array[]::bytea[], null) as hashes,
       array_remove(array[]::text[], null) as kinds
from ops.quarantine
where feed = %(feed)s and (key = %(key)s or array[]::bytea[] && %(hashes)s::bytea[]);
