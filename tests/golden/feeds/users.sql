-- Written by `python -m tests.golden` from warehouse/core/users; do not edit.
-- The statements are as psycopg gets them: %(name)s and %s stand for parameters, %% for a percent sign.

-- provision: the hashing view at the source
drop view if exists "etl"."users";
grant usage on schema "promptsales" to etl_owner;
revoke select on "promptsales"."users" from etl_owner;
grant select ("created_at", "deleted_at", "email", "id", "role", "updated_at") on "promptsales"."users" to etl_owner;
create view "etl"."users" with (security_barrier) as
    select "id" as "user_id", "role" as "role",
        sha256((select outer_pad from etl.pii_pad where is_active) || sha256(
            (select inner_pad from etl.pii_pad where is_active) ||  E'email\\000'::bytea
            || convert_to(nullif(lower(btrim(case when octet_length("email"::text) = char_length("email"::text) then "email"::text else normalize("email"::text, nfc) end, E' \t\n\r\f\v') collate "C"), ''), 'UTF8'))) as "email_hmac",
        nullif(lower(btrim(case when octet_length("email"::text) = char_length("email"::text) then "email"::text else normalize("email"::text, nfc) end, E' \t\n\r\f\v') collate "C"), '') ~ '^[^@[:space:]]+@[^@[:space:]]+\.[^@[:space:]]+$' as "is_email_valid",
        (select kid from etl.pii_pad where is_active) as "pii_kid",
        "created_at" at time zone 'UTC' as "created_at", "updated_at" as "updated_at",
        "deleted_at" as "deleted_at"
    from "promptsales"."users";
alter view "etl"."users" owner to etl_owner;
grant select on "etl"."users" to etl_reader;

-- provision: the staging table
drop table if exists "staging"."promptsales__users";
create unlogged table "staging"."promptsales__users" (
        "user_id" uuid, "role" character varying(50), "email_hmac" bytea, "is_email_valid" boolean,
        "pii_kid" integer, "created_at" timestamp with time zone, "updated_at" timestamp with time zone,
        "deleted_at" timestamp with time zone, "_load_id" bigint not null,
        "_row" bigint not null generated always as identity, "_rules" text[], "_misfits" text[]
);
comment on table "staging"."promptsales__users" is 'Rows of promptsales.users on their way into core.users; emptied by each load.';

-- extract: a first load
copy (
    select "user_id", "role", "email_hmac", "is_email_valid", "pii_kid", "created_at", "updated_at",
        "deleted_at", 42::bigint
    from "etl"."users"
    where true
) to stdout (format binary); -- noqa

-- extract: a delta
copy (
    select "user_id", "role", "email_hmac", "is_email_valid", "pii_kid", "created_at", "updated_at",
        "deleted_at", 42::bigint
    from "etl"."users"
    where "updated_at" >= '2026-01-02 03:04:05+00:00'::timestamptz
) to stdout (format binary); -- noqa

-- extract: a delta with the quarantined keys that are due
copy (
    select "user_id", "role", "email_hmac", "is_email_valid", "pii_kid", "created_at", "updated_at",
        "deleted_at", 42::bigint
    from "etl"."users"
    where ("updated_at" >= '2026-01-02 03:04:05+00:00'::timestamptz or "user_id" = any('{"a key","another key"}'::uuid[]))
) to stdout (format binary); -- noqa

-- extract: a window
copy (
    select "user_id", "role", "email_hmac", "is_email_valid", "pii_kid", "created_at", "updated_at",
        "deleted_at", 42::bigint
    from "etl"."users"
    where "updated_at" >= '2026-01-01 00:00:00+00:00'::timestamptz and "updated_at" < '2026-02-01 00:00:00+00:00'::timestamptz
) to stdout (format binary); -- noqa

-- stage: empty the staging table
truncate "staging"."promptsales__users";

-- stage: copy rows into staging
copy "staging"."promptsales__users" ("user_id", "role", "email_hmac", "is_email_valid", "pii_kid", "created_at", "updated_at",
                "deleted_at", _load_id) from stdin (format binary); -- noqa

-- suppress: find rows of erased persons that core still has
select x.key, x.person_hmac, x.pii_kid, x.row_changed_at
from ops.suppression x join "staging"."promptsales__users" s on x.key = s."user_id"::text
where x.feed = %(feed)s and exists (select from "core"."users" c where c."user_id" = s."user_id");

-- suppress: learn an erased person's hash under a new key
update ops.suppression x set person_hmac = s."email_hmac", pii_kid = s.pii_kid
from "staging"."promptsales__users" s
where x.feed = %(feed)s and x.key = s."user_id"::text and x.pii_kid < s.pii_kid and s."email_hmac" is not null
  and x.row_changed_at = s."updated_at";

-- suppress: find rows with an erased person's hash under another id
select s."user_id"::text, s."email_hmac", s.pii_kid, s."updated_at"
from "staging"."promptsales__users" s
where s."email_hmac" in (select x.person_hmac from ops.suppression x where x.person_hmac is not null)
  and not exists (select from ops.suppression x where x.feed = %(feed)s and x.key = s."user_id"::text);

-- suppress: drop rows of erased persons
delete from "staging"."promptsales__users" s using ops.suppression x where x.feed = %(feed)s and x.key = s."user_id"::text;

-- stage: drop rows that are in quarantine unchanged
delete from "staging"."promptsales__users" s using ops.quarantine q
where q.feed = %(feed)s
  and q.key = coalesce(s."user_id"::text, 'without key ' || md5((to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end)::text))
  and q.released_at is null and not q.is_waived
  and q.suite_checksum = %(suite_checksum)s and q.last_tried_at >= %(read_at)s - interval '1 day'
  and q.payload = to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end;

-- stage: analyze
analyze "staging"."promptsales__users" ("user_id", "updated_at");

-- stage: drop rows that equal core
delete from "staging"."promptsales__users" s using "core"."users" c
where s."updated_at" <= %(seen_through)s and s._misfits is null
  and c."user_id" = s."user_id"
  and row("s"."user_id", "s"."role", "s"."email_hmac", "s"."is_email_valid", "s"."pii_kid", "s"."created_at",
        "s"."updated_at", "s"."deleted_at")
      is not distinct from row("c"."user_id", "c"."role", "c"."email_hmac", "c"."is_email_valid", "c"."pii_kid", "c"."created_at",
        "c"."updated_at", "c"."deleted_at")
  and not exists (
      select from ops.quarantine q where q.feed = %(feed)s and q.key = s."user_id"::text and q.released_at is null
  );

-- check: count the staged rows
select count(*) from "staging"."promptsales__users" where _load_id = %(extraction)s;

-- check: clear earlier verdicts
update "staging"."promptsales__users" set _rules = _misfits where _rules is distinct from _misfits;

-- check: mark rows by number
update "staging"."promptsales__users" set _rules = array_append(_rules, %(rule)s) where _row = any(%(rows)s);

-- check: mark rows that break email_twice
update "staging"."promptsales__users" set _rules = array_append(_rules, %(rule)s) where "user_id" in (with batch as not materialized (
    select user_id, email_hmac from "staging"."promptsales__users" where deleted_at is null
), living as (
    select user_id, email_hmac from batch
    union all
    select o.user_id, o.email_hmac from core.users o
    where o.deleted_at is null and o.email_hmac in (select email_hmac from batch)
      and not exists (select from "staging"."promptsales__users" newer where newer.user_id = o.user_id)
), shared as (
    select email_hmac from living where email_hmac is not null group by email_hmac having count(*) > 1
)
select b.user_id from batch b join shared using (email_hmac)
);

-- check: let rows pass that were released by hand
update "staging"."promptsales__users" s set _rules = null from ops.quarantine q
where s._rules is not null and q.feed = %(feed)s and q.key = s."user_id"::text
  and q.is_waived
  and (q.payload = to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end
       -- hashed with another key since, but the same version: the cursor is part of it
       or q.payload -> 'pii_kid' <> to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end -> 'pii_kid'
          and q.payload - '{email_hmac,pii_kid}'::text[] = to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end - '{email_hmac,pii_kid}'::text[]);

-- check: count the marked rows
select count(*) from "staging"."promptsales__users" where _rules is not null;

-- publish: release rows from quarantine
update ops.quarantine q
set released_at = clock_timestamp(), release_reason = case when false then 'deleted' when q.is_waived then 'waived' else 'repaired' end
from "staging"."promptsales__users" s
where s._rules is null and q.feed = %(feed)s and q.key = s."user_id"::text and q.released_at is null;

-- publish: move marked rows to quarantine
insert into ops.quarantine as q (feed, key, extraction, rules, suite_checksum, payload, is_core_stale)
select distinct on (coalesce(s."user_id"::text, 'without key ' || md5((to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end)::text)))
       %(feed)s,
       coalesce(s."user_id"::text, 'without key ' || md5((to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end)::text)),
       %(extraction)s, s._rules, %(suite_checksum)s,
       to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end,
       exists (select from "core"."users" c where c."user_id" = s."user_id")
from "staging"."promptsales__users" s where s._rules is not null
on conflict (feed, key) where released_at is null do update
set extraction = excluded.extraction, rules = excluded.rules, suite_checksum = excluded.suite_checksum,
    payload = excluded.payload, is_core_stale = excluded.is_core_stale, is_waived = false,
    last_tried_at = clock_timestamp(), tries = q.tries + 1;

-- publish: a first load of core.users
select ops.insert_first_rows('users', 'promptsales__users', %(extraction)s);

-- publish: upsert into core.users
with merged as (
    insert into "core"."users" as c ("user_id", "role", "email_hmac", "is_email_valid", "pii_kid", "created_at", "updated_at",
        "deleted_at",
        _extraction, _loaded_at)
    select "user_id", "role", "email_hmac", "is_email_valid", "pii_kid", "created_at", "updated_at",
        "deleted_at",
        %(extraction)s, clock_timestamp()
    from "staging"."promptsales__users" where _rules is null order by "user_id"
    on conflict ("user_id") do update
    set "role" = excluded."role", "email_hmac" = excluded."email_hmac",
        "is_email_valid" = excluded."is_email_valid", "pii_kid" = excluded."pii_kid",
        "created_at" = excluded."created_at", "updated_at" = excluded."updated_at",
        "deleted_at" = excluded."deleted_at",
        _extraction = excluded._extraction, _loaded_at = excluded._loaded_at
    where c._extraction < excluded._extraction
      and row("c"."user_id", "c"."role", "c"."email_hmac", "c"."is_email_valid", "c"."pii_kid", "c"."created_at",
        "c"."updated_at", "c"."deleted_at")
          is distinct from row("excluded"."user_id", "excluded"."role", "excluded"."email_hmac", "excluded"."is_email_valid",
        "excluded"."pii_kid", "excluded"."created_at", "excluded"."updated_at", "excluded"."deleted_at")
    returning old."user_id" is null as _is_new, new."user_id",
        new."updated_at" as _changed_at, "new"."role",
        row("old"."role") is distinct from row("new"."role") as _is_new_version
), ended as (
    insert into "core"."users_history" as h ("user_id", "role", valid_from, valid_to)
    select "user_id", "role", case when _is_new then '-infinity' else _changed_at end, 'infinity'
    from merged where _is_new or _is_new_version
    on conflict ("user_id") where valid_to = 'infinity' do update
    set valid_to = coalesce(
        nullif(
            greatest(nullif(excluded.valid_from, '-infinity'), h.valid_from + interval '1 microsecond'),
            '-infinity'
        ),
        clock_timestamp()
    )
    where row("h"."role") is distinct from row("excluded"."role")
    returning old."user_id" is not null as _is_ended, new."user_id", new.valid_to as _valid_to
), begun as (
    insert into "core"."users_history" ("user_id", "role", valid_from, valid_to)
    select "user_id", "role", _valid_to, 'infinity'
    from ended join merged using ("user_id") where _is_ended
)
select count(*) filter (where _is_new), count(*) filter (where not _is_new) from merged;

-- rotate: bridge old and new hashes (1)
insert into ops.pii_bridge (feed, column_name, old_hmac, old_kid, new_hmac, new_kid, expires_at)
select distinct on (old_hmac) %(feed)s, 'email_hmac', old_hmac, %(old_kid)s::integer, new_hmac, %(kid)s::integer,
       clock_timestamp() + make_interval(days => r.bridge_days)
from (
select c."email_hmac" as old_hmac, s."email_hmac" as new_hmac
from "core"."users" c join "staging"."promptsales__users" s using ("user_id")
where c.pii_kid = %(old_kid)s and s.pii_kid = %(kid)s and c."updated_at" = s."updated_at"
) p join ops.pii_rotation r on r.kid = %(kid)s
where old_hmac is not null and new_hmac is not null and r.bridge_days > 0
on conflict do nothing;

-- rotate: bridge old and new hashes (2)
insert into ops.pii_bridge (feed, column_name, old_hmac, old_kid, new_hmac, new_kid, expires_at)
select distinct on (old_hmac) %(feed)s, 'email_hmac', old_hmac, %(old_kid)s::integer, new_hmac, %(kid)s::integer,
       clock_timestamp() + make_interval(days => r.bridge_days)
from (
select decode(substr(q.payload ->> 'email_hmac', 3), 'hex') as old_hmac, s."email_hmac" as new_hmac
from ops.quarantine q join "staging"."promptsales__users" s on q.key = s."user_id"::text
where q.feed = %(feed)s and (q.payload ->> 'pii_kid')::integer = %(old_kid)s
  and (q.payload ->> 'updated_at')::timestamptz = s."updated_at"
) p join ops.pii_rotation r on r.kid = %(kid)s
where old_hmac is not null and new_hmac is not null and r.bridge_days > 0
on conflict do nothing;

-- rotate: remove hashes of the old key (1)
update "core"."users" c
set "email_hmac" = coalesce(s."email_hmac", null::bytea), pii_kid = %(kid)s, _extraction = %(extraction)s
from "staging"."promptsales__users" s
where s."user_id" = c."user_id" and c.pii_kid <> %(kid)s and s.pii_kid = %(kid)s;

-- rotate: remove hashes of the old key (2)
update "core"."users" c
set "email_hmac" = null::bytea, pii_kid = %(kid)s
where c.pii_kid <> %(kid)s;

-- rotate: remove hashes of the old key (3)
update ops.quarantine
set payload = payload - '{email_hmac}'::text[] || jsonb_build_object('pii_kid', %(kid)s::integer)
where feed = %(feed)s and (payload ->> 'pii_kid')::integer <> %(kid)s;

-- reconcile: which of some keys the source has
select "user_id"::text from "etl"."users" where "user_id" = any(%(keys)s::uuid[]);

-- reconcile: digests by bucket of the source
select ('x' || left(encode(sha256(convert_to("user_id"::text, 'UTF8')), 'hex'), 3))::bit(12)::int as bucket, count(*), sum(('x' || left(encode(sha256(convert_to(row("user_id", "role", "email_hmac", "is_email_valid", "pii_kid", "created_at", "updated_at",
        "deleted_at")::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint)
from (
    select "user_id", "role", "email_hmac", "is_email_valid", "pii_kid", "created_at", "updated_at",
        "deleted_at"
    from "etl"."users"
    where "user_id"::text <> all(%(suppressed)s)
) x where "user_id" is not null and "user_id"::text <> all(%(pending)s) group by 1;

-- reconcile: digests by key of the source
select "user_id"::text collate "C" as key, ('x' || left(encode(sha256(convert_to(row("user_id", "role", "email_hmac", "is_email_valid", "pii_kid", "created_at", "updated_at",
        "deleted_at")::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint as digest, "updated_at" as changed_at
from (
    select "user_id", "role", "email_hmac", "is_email_valid", "pii_kid", "created_at", "updated_at",
        "deleted_at"
    from "etl"."users"
    where "user_id"::text <> all(%(suppressed)s)
) x
where "user_id" is not null and "user_id"::text <> all(%(pending)s) and ('x' || left(encode(sha256(convert_to("user_id"::text, 'UTF8')), 'hex'), 3))::bit(12)::int = any(%(buckets)s) order by 1;

-- reconcile: digests by bucket of the warehouse
select ('x' || left(encode(sha256(convert_to("user_id"::text, 'UTF8')), 'hex'), 3))::bit(12)::int as bucket, count(*), sum(('x' || left(encode(sha256(convert_to(row("user_id", "role", "email_hmac", "is_email_valid", "pii_kid", "created_at", "updated_at",
        "deleted_at")::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint)
from (
select "user_id", "role", "email_hmac", "is_email_valid", "pii_kid", "created_at", "updated_at",
        "deleted_at" from "core"."users" c
where not exists (
    select from ops.quarantine q where q.feed = %(feed)s and q.key = c."user_id"::text and q.released_at is null
) and not exists (
    select from ops.load l where l.feed = %(feed)s and l.extraction = c._extraction and l.mode = 'reconcile'
)
union all
select "r"."user_id", "r"."role", "r"."email_hmac", "r"."is_email_valid", "r"."pii_kid", "r"."created_at",
        "r"."updated_at", "r"."deleted_at" from ops.quarantine q, jsonb_populate_record(null::"staging"."promptsales__users", q.payload) r
where q.feed = %(feed)s and q.released_at is null
) x where "user_id" is not null and "user_id"::text <> all(%(pending)s) group by 1;

-- reconcile: digests by key of the warehouse
select "user_id"::text collate "C" as key, ('x' || left(encode(sha256(convert_to(row("user_id", "role", "email_hmac", "is_email_valid", "pii_kid", "created_at", "updated_at",
        "deleted_at")::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint as digest, "updated_at" as changed_at
from (
select "user_id", "role", "email_hmac", "is_email_valid", "pii_kid", "created_at", "updated_at",
        "deleted_at" from "core"."users" c
where not exists (
    select from ops.quarantine q where q.feed = %(feed)s and q.key = c."user_id"::text and q.released_at is null
) and not exists (
    select from ops.load l where l.feed = %(feed)s and l.extraction = c._extraction and l.mode = 'reconcile'
)
union all
select "r"."user_id", "r"."role", "r"."email_hmac", "r"."is_email_valid", "r"."pii_kid", "r"."created_at",
        "r"."updated_at", "r"."deleted_at" from ops.quarantine q, jsonb_populate_record(null::"staging"."promptsales__users", q.payload) r
where q.feed = %(feed)s and q.released_at is null
) x
where "user_id" is not null and "user_id"::text <> all(%(pending)s) and ('x' || left(encode(sha256(convert_to("user_id"::text, 'UTF8')), 'hex'), 3))::bit(12)::int = any(%(buckets)s) order by 1;

-- reconcile: soft-delete rows that the source no longer has
with merged as (
    update "core"."users" c
    set deleted_at = coalesce(c.deleted_at, %(read_at)s), _extraction = %(extraction)s,
        _loaded_at = clock_timestamp()
    where c."user_id" = any(%(keys)s::uuid[])
    returning true as _is_gone
)
select count(*) from merged;

-- erase: find a person's rows in core
select %(feed)s as feed, "user_id"::text as key, 'core' as place, "email_hmac" as email_hmac, "pii_kid" as pii_kid,
       "updated_at" as row_changed_at, array_remove(array["email_hmac"]::bytea[], null) as hashes,
       array_remove(array[case when "email_hmac" is not null then 'email_hmac' end]::text[], null) as kinds
from "core"."users"
where true and ("user_id"::text = %(key)s or array["email_hmac"]::bytea[] && %(hashes)s::bytea[]);

-- erase: find a person's rows in quarantine
select %(feed)s as feed, key as key, 'quarantine' as place, decode(substr(payload ->> 'email_hmac', 3), 'hex') as email_hmac, (payload ->> 'pii_kid')::integer as pii_kid,
       (payload ->> 'updated_at')::timestamptz as row_changed_at, array_remove(array[decode(substr(payload ->> 'email_hmac', 3), 'hex')]::bytea[], null) as hashes,
       array_remove(array[case when decode(substr(payload ->> 'email_hmac', 3), 'hex') is not null then 'email_hmac' end]::text[], null) as kinds
from ops.quarantine
where feed = %(feed)s and (key = %(key)s or array[decode(substr(payload ->> 'email_hmac', 3), 'hex')]::bytea[] && %(hashes)s::bytea[]);
