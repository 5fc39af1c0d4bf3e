-- Written by `python -m tests.golden` from warehouse/core/accounts; do not edit.
-- The statements are as psycopg gets them: %(name)s and %s stand for parameters, %% for a percent sign.

-- provision: the hashing view at the source
drop view if exists "etl"."accounts";
grant usage on schema "crm" to etl_owner;
revoke select on "crm"."accounts" from etl_owner;
grant select ("account_type", "annual_revenue", "country_code", "created_at", "deleted_at", "domain",
        "employee_count", "id", "industry", "name", "owner_user_id", "updated_at") on "crm"."accounts" to etl_owner;
create view "etl"."accounts" with (security_barrier) as
    select "id" as "account_id", "owner_user_id" as "owner_user_id",
        (case when "name"::text collate "C" ~  E'[@+]|\\u002540|\\u00252[Bb]|(?:^|[^0-9])0[0-9]|[0-9][ .)-]' then regexp_replace(regexp_replace("name"::text collate "C",  E'(?:\\+|\\u00252[Bb])[ (]?[0-9](?:[ ./()-]{0,3}[0-9]){6,22}|(?<![0-9A-Za-z_.,-])\\(?0(?:[0-9]{2}(?:[ ./()-]{0,3}[0-9]){6,22}|[1-9](?:[ .-][0-9]{2}){4})(?!-?[0-9A-Za-z_])|(?<![0-9A-Za-z_.,-])(?:1[ .-])?(?:\\([2-9][0-9]{2}\\) ?|[2-9][0-9]{2}[ .-])[2-9][0-9]{2}[ .-][0-9]{4}(?!-?[0-9A-Za-z_])', '***', 'g'),  E'[^ \\t\\n\\r\\f\\v<>()\\[\\]{}",;:|/?&=#]+(?:@|\\u002540)[^ \\t\\n\\r\\f\\v<>()\\[\\]{}",;:|/?&=#]+[.][^ \\t\\n\\r\\f\\v<>()\\[\\]{}",;:|/?&=#]+', '***', 'g') else "name"::text end)::character varying(255) as "name",
        (case when "domain"::text collate "C" ~  E'[@+]|\\u002540|\\u00252[Bb]|(?:^|[^0-9])0[0-9]|[0-9][ .)-]' then regexp_replace(regexp_replace("domain"::text collate "C",  E'(?:\\+|\\u00252[Bb])[ (]?[0-9](?:[ ./()-]{0,3}[0-9]){6,22}|(?<![0-9A-Za-z_.,-])\\(?0(?:[0-9]{2}(?:[ ./()-]{0,3}[0-9]){6,22}|[1-9](?:[ .-][0-9]{2}){4})(?!-?[0-9A-Za-z_])|(?<![0-9A-Za-z_.,-])(?:1[ .-])?(?:\\([2-9][0-9]{2}\\) ?|[2-9][0-9]{2}[ .-])[2-9][0-9]{2}[ .-][0-9]{4}(?!-?[0-9A-Za-z_])', '***', 'g'),  E'[^ \\t\\n\\r\\f\\v<>()\\[\\]{}",;:|/?&=#]+(?:@|\\u002540)[^ \\t\\n\\r\\f\\v<>()\\[\\]{}",;:|/?&=#]+[.][^ \\t\\n\\r\\f\\v<>()\\[\\]{}",;:|/?&=#]+', '***', 'g') else "domain"::text end)::character varying(255) as "domain",
        (case when "industry"::text collate "C" ~  E'[@+]|\\u002540|\\u00252[Bb]|(?:^|[^0-9])0[0-9]|[0-9][ .)-]' then regexp_replace(regexp_replace("industry"::text collate "C",  E'(?:\\+|\\u00252[Bb])[ (]?[0-9](?:[ ./()-]{0,3}[0-9]){6,22}|(?<![0-9A-Za-z_.,-])\\(?0(?:[0-9]{2}(?:[ ./()-]{0,3}[0-9]){6,22}|[1-9](?:[ .-][0-9]{2}){4})(?!-?[0-9A-Za-z_])|(?<![0-9A-Za-z_.,-])(?:1[ .-])?(?:\\([2-9][0-9]{2}\\) ?|[2-9][0-9]{2}[ .-])[2-9][0-9]{2}[ .-][0-9]{4}(?!-?[0-9A-Za-z_])', '***', 'g'),  E'[^ \\t\\n\\r\\f\\v<>()\\[\\]{}",;:|/?&=#]+(?:@|\\u002540)[^ \\t\\n\\r\\f\\v<>()\\[\\]{}",;:|/?&=#]+[.][^ \\t\\n\\r\\f\\v<>()\\[\\]{}",;:|/?&=#]+', '***', 'g') else "industry"::text end)::character varying(100) as "industry",
        "employee_count" as "employee_count", "annual_revenue" as "annual_revenue",
        "country_code" as "country_code", "account_type" as "account_type", "created_at" as "created_at",
        "updated_at" as "updated_at", "deleted_at" as "deleted_at"
    from "crm"."accounts";
alter view "etl"."accounts" owner to etl_owner;
grant select on "etl"."accounts" to etl_reader;

-- provision: the staging table
drop table if exists "staging"."promptcrm__accounts";
create unlogged table "staging"."promptcrm__accounts" (
        "account_id" uuid, "owner_user_id" uuid, "name" character varying(255),
        "domain" character varying(255), "industry" character varying(100), "employee_count" integer,
        "annual_revenue" numeric(18,2), "country_code" character(2), "account_type" character varying(20),
        "created_at" timestamp with time zone, "updated_at" timestamp with time zone,
        "deleted_at" timestamp with time zone, "_load_id" bigint not null,
        "_row" bigint not null generated always as identity, "_rules" text[], "_misfits" text[]
);
comment on table "staging"."promptcrm__accounts" is 'Rows of crm.accounts on their way into core.accounts; emptied by each load.';

-- extract: a first load
copy (
    select "account_id", "owner_user_id", "name", "domain", "industry", "employee_count", "annual_revenue",
        "country_code", "account_type", "created_at", "updated_at", "deleted_at", 42::bigint
    from "etl"."accounts"
    where true
) to stdout (format binary); -- noqa

-- extract: a delta
copy (
    select "account_id", "owner_user_id", "name", "domain", "industry", "employee_count", "annual_revenue",
        "country_code", "account_type", "created_at", "updated_at", "deleted_at", 42::bigint
    from "etl"."accounts"
    where "updated_at" >= '2026-01-02 03:04:05+00:00'::timestamptz
) to stdout (format binary); -- noqa

-- extract: a delta with the quarantined keys that are due
copy (
    select "account_id", "owner_user_id", "name", "domain", "industry", "employee_count", "annual_revenue",
        "country_code", "account_type", "created_at", "updated_at", "deleted_at", 42::bigint
    from "etl"."accounts"
    where ("updated_at" >= '2026-01-02 03:04:05+00:00'::timestamptz or "account_id" = any('{"a key","another key"}'::uuid[]))
) to stdout (format binary); -- noqa

-- extract: a window
copy (
    select "account_id", "owner_user_id", "name", "domain", "industry", "employee_count", "annual_revenue",
        "country_code", "account_type", "created_at", "updated_at", "deleted_at", 42::bigint
    from "etl"."accounts"
    where "updated_at" >= '2026-01-01 00:00:00+00:00'::timestamptz and "updated_at" < '2026-02-01 00:00:00+00:00'::timestamptz
) to stdout (format binary); -- noqa

-- stage: empty the staging table
truncate "staging"."promptcrm__accounts";

-- stage: copy rows into staging
copy "staging"."promptcrm__accounts" ("account_id", "owner_user_id", "name", "domain", "industry", "employee_count", "annual_revenue",
                "country_code", "account_type", "created_at", "updated_at", "deleted_at", _load_id) from stdin (format binary); -- noqa

-- suppress: find rows of erased persons that core still has
select x.key, x.person_hmac, x.pii_kid, x.row_changed_at
from ops.suppression x join "staging"."promptcrm__accounts" s on x.key = s."account_id"::text
where x.feed = %(feed)s and exists (select from "core"."accounts" c where c."account_id" = s."account_id");

-- suppress: drop rows of erased persons
delete from "staging"."promptcrm__accounts" s using ops.suppression x where x.feed = %(feed)s and x.key = s."account_id"::text;

-- suppress: replace references to erased persons
update "staging"."promptcrm__accounts"
set "owner_user_id" = case when "owner_user_id"::text in (select key from ops.suppression where length(key) >= 16)
            then '00000000-0000-0000-0000-000000000000' else "owner_user_id" end
where "owner_user_id"::text in (select key from ops.suppression where length(key) >= 16);

-- stage: drop rows that are in quarantine unchanged
delete from "staging"."promptcrm__accounts" s using ops.quarantine q
where q.feed = %(feed)s
  and q.key = coalesce(s."account_id"::text, 'without key ' || md5((to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end)::text))
  and q.released_at is null and not q.is_waived
  and q.suite_checksum = %(suite_checksum)s and q.last_tried_at >= %(read_at)s - interval '1 day'
  and q.payload = to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end;

-- stage: analyze
analyze "staging"."promptcrm__accounts" ("account_id", "updated_at");

-- stage: drop rows that equal core
delete from "staging"."promptcrm__accounts" s using "core"."accounts" c
where s."updated_at" <= %(seen_through)s and s._misfits is null
  and c."account_id" = s."account_id"
  and row("s"."account_id", "s"."owner_user_id", "s"."name", "s"."domain", "s"."industry",
        "s"."employee_count", "s"."annual_revenue", "s"."country_code", "s"."account_type", "s"."created_at",
        "s"."updated_at", "s"."deleted_at")
      is not distinct from row("c"."account_id", "c"."owner_user_id", "c"."name", "c"."domain", "c"."industry",
        "c"."employee_count", "c"."annual_revenue", "c"."country_code", "c"."account_type", "c"."created_at",
        "c"."updated_at", "c"."deleted_at")
  and not exists (
      select from ops.quarantine q where q.feed = %(feed)s and q.key = s."account_id"::text and q.released_at is null
  );

-- check: count the staged rows
select count(*) from "staging"."promptcrm__accounts" where _load_id = %(extraction)s;

-- check: clear earlier verdicts
update "staging"."promptcrm__accounts" set _rules = _misfits where _rules is distinct from _misfits;

-- check: mark rows by number
update "staging"."promptcrm__accounts" set _rules = array_append(_rules, %(rule)s) where _row = any(%(rows)s);

-- check: let rows pass that were released by hand
update "staging"."promptcrm__accounts" s set _rules = null from ops.quarantine q
where s._rules is not null and q.feed = %(feed)s and q.key = s."account_id"::text
  and q.is_waived
  and (q.payload = to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end
       -- hashed with another key since, but the same version: the cursor is part of it
       or q.payload -> 'pii_kid' <> to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end -> 'pii_kid'
          and q.payload - '{pii_kid}'::text[] = to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end - '{pii_kid}'::text[]);

-- check: count the marked rows
select count(*) from "staging"."promptcrm__accounts" where _rules is not null;

-- publish: release rows from quarantine
update ops.quarantine q
set released_at = clock_timestamp(), release_reason = case when false then 'deleted' when q.is_waived then 'waived' else 'repaired' end
from "staging"."promptcrm__accounts" s
where s._rules is null and q.feed = %(feed)s and q.key = s."account_id"::text and q.released_at is null;

-- publish: move marked rows to quarantine
insert into ops.quarantine as q (feed, key, extraction, rules, suite_checksum, payload, is_core_stale)
select distinct on (coalesce(s."account_id"::text, 'without key ' || md5((to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end)::text)))
       %(feed)s,
       coalesce(s."account_id"::text, 'without key ' || md5((to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end)::text)),
       %(extraction)s, s._rules, %(suite_checksum)s,
       to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end,
       exists (select from "core"."accounts" c where c."account_id" = s."account_id")
from "staging"."promptcrm__accounts" s where s._rules is not null
on conflict (feed, key) where released_at is null do update
set extraction = excluded.extraction, rules = excluded.rules, suite_checksum = excluded.suite_checksum,
    payload = excluded.payload, is_core_stale = excluded.is_core_stale, is_waived = false,
    last_tried_at = clock_timestamp(), tries = q.tries + 1;

-- publish: a first load of core.accounts
select ops.insert_first_rows('accounts', 'promptcrm__accounts', %(extraction)s);

-- publish: upsert into core.accounts
with merged as (
    insert into "core"."accounts" as c ("account_id", "owner_user_id", "name", "domain", "industry", "employee_count", "annual_revenue",
        "country_code", "account_type", "created_at", "updated_at", "deleted_at",
        _extraction, _loaded_at)
    select "account_id", "owner_user_id", "name", "domain", "industry", "employee_count", "annual_revenue",
        "country_code", "account_type", "created_at", "updated_at", "deleted_at",
        %(extraction)s, clock_timestamp()
    from "staging"."promptcrm__accounts" where _rules is null order by "account_id"
    on conflict ("account_id") do update
    set "owner_user_id" = excluded."owner_user_id", "name" = excluded."name", "domain" = excluded."domain",
        "industry" = excluded."industry", "employee_count" = excluded."employee_count",
        "annual_revenue" = excluded."annual_revenue", "country_code" = excluded."country_code",
        "account_type" = excluded."account_type", "created_at" = excluded."created_at",
        "updated_at" = excluded."updated_at", "deleted_at" = excluded."deleted_at",
        _extraction = excluded._extraction, _loaded_at = excluded._loaded_at
    where c._extraction < excluded._extraction
      and row("c"."account_id", "c"."owner_user_id", "c"."name", "c"."domain", "c"."industry",
        "c"."employee_count", "c"."annual_revenue", "c"."country_code", "c"."account_type", "c"."created_at",
        "c"."updated_at", "c"."deleted_at")
          is distinct from row("excluded"."account_id", "excluded"."owner_user_id", "excluded"."name", "excluded"."domain",
        "excluded"."industry", "excluded"."employee_count", "excluded"."annual_revenue",
        "excluded"."country_code", "excluded"."account_type", "excluded"."created_at",
        "excluded"."updated_at", "excluded"."deleted_at")
    returning old."account_id" is null as _is_new, new."account_id",
        new."updated_at" as _changed_at, "new"."account_type",
        row("old"."account_type") is distinct from row("new"."account_type") as _is_new_version
), ended as (
    insert into "core"."accounts_history" as h ("account_id", "account_type", valid_from, valid_to)
    select "account_id", "account_type", case when _is_new then '-infinity' else _changed_at end, 'infinity'
    from merged where _is_new or _is_new_version
    on conflict ("account_id") where valid_to = 'infinity' do update
    set valid_to = coalesce(
        nullif(
            greatest(nullif(excluded.valid_from, '-infinity'), h.valid_from + interval '1 microsecond'),
            '-infinity'
        ),
        clock_timestamp()
    )
    where row("h"."account_type") is distinct from row("excluded"."account_type")
    returning old."account_id" is not null as _is_ended, new."account_id", new.valid_to as _valid_to
), begun as (
    insert into "core"."accounts_history" ("account_id", "account_type", valid_from, valid_to)
    select "account_id", "account_type", _valid_to, 'infinity'
    from ended join merged using ("account_id") where _is_ended
)
select count(*) filter (where _is_new), count(*) filter (where not _is_new) from merged;

-- reconcile: which of some keys the source has
select "account_id"::text from "etl"."accounts" where "account_id" = any(%(keys)s::uuid[]);

-- reconcile: digests by bucket of the source
select ('x' || left(encode(sha256(convert_to("account_id"::text, 'UTF8')), 'hex'), 3))::bit(12)::int as bucket, count(*), sum(('x' || left(encode(sha256(convert_to(row("account_id", "owner_user_id", "name", "domain", "industry", "employee_count", "annual_revenue",
        "country_code", "account_type", "created_at", "updated_at", "deleted_at")::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint)
from (
    select "account_id",
        case when "owner_user_id"::text = any(%(erased)s) then '00000000-0000-0000-0000-000000000000' else "owner_user_id" end as "owner_user_id",
        "name", "domain", "industry", "employee_count", "annual_revenue", "country_code", "account_type",
        "created_at", "updated_at", "deleted_at"
    from "etl"."accounts"
    where "account_id"::text <> all(%(suppressed)s)
) x where "account_id" is not null and "account_id"::text <> all(%(pending)s) group by 1;

-- reconcile: digests by key of the source
select "account_id"::text collate "C" as key, ('x' || left(encode(sha256(convert_to(row("account_id", "owner_user_id", "name", "domain", "industry", "employee_count", "annual_revenue",
        "country_code", "account_type", "created_at", "updated_at", "deleted_at")::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint as digest, "updated_at" as changed_at
from (
    select "account_id",
        case when "owner_user_id"::text = any(%(erased)s) then '00000000-0000-0000-0000-000000000000' else "owner_user_id" end as "owner_user_id",
        "name", "domain", "industry", "employee_count", "annual_revenue", "country_code", "account_type",
        "created_at", "updated_at", "deleted_at"
    from "etl"."accounts"
    where "account_id"::text <> all(%(suppressed)s)
) x
where "account_id" is not null and "account_id"::text <> all(%(pending)s) and ('x' || left(encode(sha256(convert_to("account_id"::text, 'UTF8')), 'hex'), 3))::bit(12)::int = any(%(buckets)s) order by 1;

-- reconcile: digests by bucket of the warehouse
select ('x' || left(encode(sha256(convert_to("account_id"::text, 'UTF8')), 'hex'), 3))::bit(12)::int as bucket, count(*), sum(('x' || left(encode(sha256(convert_to(row("account_id", "owner_user_id", "name", "domain", "industry", "employee_count", "annual_revenue",
        "country_code", "account_type", "created_at", "updated_at", "deleted_at")::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint)
from (
select "account_id", "owner_user_id", "name", "domain", "industry", "employee_count", "annual_revenue",
        "country_code", "account_type", "created_at", "updated_at", "deleted_at" from "core"."accounts" c
where not exists (
    select from ops.quarantine q where q.feed = %(feed)s and q.key = c."account_id"::text and q.released_at is null
) and not exists (
    select from ops.load l where l.feed = %(feed)s and l.extraction = c._extraction and l.mode = 'reconcile'
)
union all
select "r"."account_id", "r"."owner_user_id", "r"."name", "r"."domain", "r"."industry",
        "r"."employee_count", "r"."annual_revenue", "r"."country_code", "r"."account_type", "r"."created_at",
        "r"."updated_at", "r"."deleted_at" from ops.quarantine q, jsonb_populate_record(null::"staging"."promptcrm__accounts", q.payload) r
where q.feed = %(feed)s and q.released_at is null
) x where "account_id" is not null and "account_id"::text <> all(%(pending)s) group by 1;

-- reconcile: digests by key of the warehouse
select "account_id"::text collate "C" as key, ('x' || left(encode(sha256(convert_to(row("account_id", "owner_user_id", "name", "domain", "industry", "employee_count", "annual_revenue",
        "country_code", "account_type", "created_at", "updated_at", "deleted_at")::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint as digest, "updated_at" as changed_at
from (
select "account_id", "owner_user_id", "name", "domain", "industry", "employee_count", "annual_revenue",
        "country_code", "account_type", "created_at", "updated_at", "deleted_at" from "core"."accounts" c
where not exists (
    select from ops.quarantine q where q.feed = %(feed)s and q.key = c."account_id"::text and q.released_at is null
) and not exists (
    select from ops.load l where l.feed = %(feed)s and l.extraction = c._extraction and l.mode = 'reconcile'
)
union all
select "r"."account_id", "r"."owner_user_id", "r"."name", "r"."domain", "r"."industry",
        "r"."employee_count", "r"."annual_revenue", "r"."country_code", "r"."account_type", "r"."created_at",
        "r"."updated_at", "r"."deleted_at" from ops.quarantine q, jsonb_populate_record(null::"staging"."promptcrm__accounts", q.payload) r
where q.feed = %(feed)s and q.released_at is null
) x
where "account_id" is not null and "account_id"::text <> all(%(pending)s) and ('x' || left(encode(sha256(convert_to("account_id"::text, 'UTF8')), 'hex'), 3))::bit(12)::int = any(%(buckets)s) order by 1;

-- reconcile: soft-delete rows that the source no longer has
with merged as (
    update "core"."accounts" c
    set deleted_at = coalesce(c.deleted_at, %(read_at)s), _extraction = %(extraction)s,
        _loaded_at = clock_timestamp()
    where c."account_id" = any(%(keys)s::uuid[])
    returning true as _is_gone
)
select count(*) from merged;

-- erase: find a person's rows in core
select %(feed)s as feed, "account_id"::text as key, 'core' as place, null::bytea as email_hmac, null::integer as pii_kid,
       "updated_at" as row_changed_at, array_remove(array[]::bytea[], null) as hashes,
       array_remove(array[]::text[], null) as kinds
from "core"."accounts"
where true and ("account_id"::text = %(key)s or array[]::bytea[] && %(hashes)s::bytea[]);

-- erase: find a person's rows in quarantine
select %(feed)s as feed, key as key, 'quarantine' as place, null::bytea as email_hmac, (payload ->> 'pii_kid')::integer as pii_kid,
       (payload ->> 'updated_at')::timestamptz as row_changed_at, array_remove(array[]::bytea[], null) as hashes,
       array_remove(array[]::text[], null) as kinds
from ops.quarantine
where feed = %(feed)s and (key = %(key)s or array[]::bytea[] && %(hashes)s::bytea[]);
