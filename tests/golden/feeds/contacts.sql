-- Written by `python -m tests.golden` from warehouse/core/contacts; do not edit.
-- The statements are as psycopg gets them: %(name)s and %s stand for parameters, %% for a percent sign.

-- provision: the hashing view at the source
drop view if exists "etl"."contacts";
grant usage on schema "crm" to etl_owner;
revoke select on "crm"."contacts" from etl_owner;
grant select ("account_id", "consent_at", "country_code", "created_at", "deleted_at", "email", "email_opt_in",
        "id", "job_title", "owner_user_id", "phone", "updated_at") on "crm"."contacts" to etl_owner;
create view "etl"."contacts" with (security_barrier) as
    select "id" as "contact_id", "owner_user_id" as "owner_user_id", "account_id" as "account_id",
        sha256((select outer_pad from etl.pii_pad where is_active) || sha256(
            (select inner_pad from etl.pii_pad where is_active) ||  E'email\\000'::bytea
            || convert_to(nullif(lower(btrim(case when octet_length("email"::text) = char_length("email"::text) then "email"::text else normalize("email"::text, nfc) end, E' \t\n\r\f\v') collate "C"), ''), 'UTF8'))) as "email_hmac",
        nullif(lower(btrim(case when octet_length("email"::text) = char_length("email"::text) then "email"::text else normalize("email"::text, nfc) end, E' \t\n\r\f\v') collate "C"), '') ~ '^[^@[:space:]]+@[^@[:space:]]+\.[^@[:space:]]+$' as "is_email_valid",
        sha256((select outer_pad from etl.pii_pad where is_active) || sha256(
            (select inner_pad from etl.pii_pad where is_active) ||  E'phone\\000'::bytea
            || convert_to('+' || nullif(regexp_replace("phone"::text, '[^0-9]', '', 'g'), ''), 'UTF8'))) as "phone_hmac",
        (select kid from etl.pii_pad where is_active) as "pii_kid",
        (case when "job_title"::text collate "C" ~  E'[@+]|\\u002540|\\u00252[Bb]|(?:^|[^0-9])0[0-9]|[0-9][ .)-]' then regexp_replace(regexp_replace("job_title"::text collate "C",  E'(?:\\+|\\u00252[Bb])[ (]?[0-9](?:[ ./()-]{0,3}[0-9]){6,22}|(?<![0-9A-Za-z_.,-])\\(?0(?:[0-9]{2}(?:[ ./()-]{0,3}[0-9]){6,22}|[1-9](?:[ .-][0-9]{2}){4})(?!-?[0-9A-Za-z_])|(?<![0-9A-Za-z_.,-])(?:1[ .-])?(?:\\([2-9][0-9]{2}\\) ?|[2-9][0-9]{2}[ .-])[2-9][0-9]{2}[ .-][0-9]{4}(?!-?[0-9A-Za-z_])', '***', 'g'),  E'[^ \\t\\n\\r\\f\\v<>()\\[\\]{}",;:|/?&=#]+(?:@|\\u002540)[^ \\t\\n\\r\\f\\v<>()\\[\\]{}",;:|/?&=#]+[.][^ \\t\\n\\r\\f\\v<>()\\[\\]{}",;:|/?&=#]+', '***', 'g') else "job_title"::text end)::character varying(150) as "job_title",
        "country_code" as "country_code", "email_opt_in" as "email_opt_in", "consent_at" as "consent_at",
        "created_at" as "created_at", "updated_at" as "updated_at", "deleted_at" as "deleted_at"
    from "crm"."contacts";
alter view "etl"."contacts" owner to etl_owner;
grant select on "etl"."contacts" to etl_reader;

-- provision: the staging table
drop table if exists "staging"."promptcrm__contacts";
create unlogged table "staging"."promptcrm__contacts" (
        "contact_id" uuid, "owner_user_id" uuid, "account_id" uuid, "email_hmac" bytea,
        "is_email_valid" boolean, "phone_hmac" bytea, "pii_kid" integer, "job_title" character varying(150),
        "country_code" character(2), "email_opt_in" boolean, "consent_at" timestamp with time zone,
        "created_at" timestamp with time zone, "updated_at" timestamp with time zone,
        "deleted_at" timestamp with time zone, "_load_id" bigint not null,
        "_row" bigint not null generated always as identity, "_rules" text[], "_misfits" text[]
);
comment on table "staging"."promptcrm__contacts" is 'Rows of crm.contacts on their way into core.contacts; emptied by each load.';

-- extract: a first load
copy (
    select "contact_id", "owner_user_id", "account_id", "email_hmac", "is_email_valid", "phone_hmac", "pii_kid",
        "job_title", "country_code", "email_opt_in", "consent_at", "created_at", "updated_at", "deleted_at", 42::bigint
    from "etl"."contacts"
    where true
) to stdout (format binary); -- noqa

-- extract: a delta
copy (
    select "contact_id", "owner_user_id", "account_id", "email_hmac", "is_email_valid", "phone_hmac", "pii_kid",
        "job_title", "country_code", "email_opt_in", "consent_at", "created_at", "updated_at", "deleted_at", 42::bigint
    from "etl"."contacts"
    where "updated_at" >= '2026-01-02 03:04:05+00:00'::timestamptz
) to stdout (format binary); -- noqa

-- extract: a delta with the quarantined keys that are due
copy (
    select "contact_id", "owner_user_id", "account_id", "email_hmac", "is_email_valid", "phone_hmac", "pii_kid",
        "job_title", "country_code", "email_opt_in", "consent_at", "created_at", "updated_at", "deleted_at", 42::bigint
    from "etl"."contacts"
    where ("updated_at" >= '2026-01-02 03:04:05+00:00'::timestamptz or "contact_id" = any('{"a key","another key"}'::uuid[]))
) to stdout (format binary); -- noqa

-- extract: a window
copy (
    select "contact_id", "owner_user_id", "account_id", "email_hmac", "is_email_valid", "phone_hmac", "pii_kid",
        "job_title", "country_code", "email_opt_in", "consent_at", "created_at", "updated_at", "deleted_at", 42::bigint
    from "etl"."contacts"
    where "updated_at" >= '2026-01-01 00:00:00+00:00'::timestamptz and "updated_at" < '2026-02-01 00:00:00+00:00'::timestamptz
) to stdout (format binary); -- noqa

-- stage: empty the staging table
truncate "staging"."promptcrm__contacts";

-- stage: copy rows into staging
copy "staging"."promptcrm__contacts" ("contact_id", "owner_user_id", "account_id", "email_hmac", "is_email_valid", "phone_hmac", "pii_kid",
                "job_title", "country_code", "email_opt_in", "consent_at", "created_at", "updated_at", "deleted_at", _load_id) from stdin (format binary); -- noqa

-- suppress: find rows of erased persons that core still has
select x.key, x.person_hmac, x.pii_kid, x.row_changed_at
from ops.suppression x join "staging"."promptcrm__contacts" s on x.key = s."contact_id"::text
where x.feed = %(feed)s and exists (select from "core"."contacts" c where c."contact_id" = s."contact_id");

-- suppress: learn an erased person's hash under a new key
update ops.suppression x set person_hmac = s."email_hmac", pii_kid = s.pii_kid
from "staging"."promptcrm__contacts" s
where x.feed = %(feed)s and x.key = s."contact_id"::text and x.pii_kid < s.pii_kid and s."email_hmac" is not null
  and x.row_changed_at = s."updated_at";

-- suppress: find rows with an erased person's hash under another id
select s."contact_id"::text, s."email_hmac", s.pii_kid, s."updated_at"
from "staging"."promptcrm__contacts" s
where s."email_hmac" in (select x.person_hmac from ops.suppression x where x.person_hmac is not null)
  and not exists (select from ops.suppression x where x.feed = %(feed)s and x.key = s."contact_id"::text);

-- suppress: drop rows of erased persons
delete from "staging"."promptcrm__contacts" s using ops.suppression x where x.feed = %(feed)s and x.key = s."contact_id"::text;

-- suppress: replace references to erased persons
update "staging"."promptcrm__contacts"
set "owner_user_id" = case when "owner_user_id"::text in (select key from ops.suppression where length(key) >= 16)
            then '00000000-0000-0000-0000-000000000000' else "owner_user_id" end,
        "account_id" = case when "account_id"::text in (select key from ops.suppression where length(key) >= 16)
            then '00000000-0000-0000-0000-000000000000' else "account_id" end
where "owner_user_id"::text in (select key from ops.suppression where length(key) >= 16) or
        "account_id"::text in (select key from ops.suppression where length(key) >= 16);

-- stage: drop rows that are in quarantine unchanged
delete from "staging"."promptcrm__contacts" s using ops.quarantine q
where q.feed = %(feed)s
  and q.key = coalesce(s."contact_id"::text, 'without key ' || md5((to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end)::text))
  and q.released_at is null and not q.is_waived
  and q.suite_checksum = %(suite_checksum)s and q.last_tried_at >= %(read_at)s - interval '1 day'
  and q.payload = to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end;

-- stage: analyze
analyze "staging"."promptcrm__contacts" ("contact_id", "updated_at");

-- stage: drop rows that equal core
delete from "staging"."promptcrm__contacts" s using "core"."contacts" c
where s."updated_at" <= %(seen_through)s and s._misfits is null
  and c."contact_id" = s."contact_id"
  and row("s"."contact_id", "s"."owner_user_id", "s"."account_id", "s"."email_hmac", "s"."is_email_valid",
        "s"."phone_hmac", "s"."pii_kid", "s"."job_title", "s"."country_code", "s"."email_opt_in",
        "s"."consent_at", "s"."created_at", "s"."updated_at", "s"."deleted_at")
      is not distinct from row("c"."contact_id", "c"."owner_user_id", "c"."account_id", "c"."email_hmac", "c"."is_email_valid",
        "c"."phone_hmac", "c"."pii_kid", "c"."job_title", "c"."country_code", "c"."email_opt_in",
        "c"."consent_at", "c"."created_at", "c"."updated_at", "c"."deleted_at")
  and not exists (
      select from ops.quarantine q where q.feed = %(feed)s and q.key = s."contact_id"::text and q.released_at is null
  );

-- check: count the staged rows
select count(*) from "staging"."promptcrm__contacts" where _load_id = %(extraction)s;

-- check: clear earlier verdicts
update "staging"."promptcrm__contacts" set _rules = _misfits where _rules is distinct from _misfits;

-- check: mark rows by number
update "staging"."promptcrm__contacts" set _rules = array_append(_rules, %(rule)s) where _row = any(%(rows)s);

-- check: let rows pass that were released by hand
update "staging"."promptcrm__contacts" s set _rules = null from ops.quarantine q
where s._rules is not null and q.feed = %(feed)s and q.key = s."contact_id"::text
  and q.is_waived
  and (q.payload = to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end
       -- hashed with another key since, but the same version: the cursor is part of it
       or q.payload -> 'pii_kid' <> to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end -> 'pii_kid'
          and q.payload - '{email_hmac,phone_hmac,pii_kid}'::text[] = to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end - '{email_hmac,phone_hmac,pii_kid}'::text[]);

-- check: count the marked rows
select count(*) from "staging"."promptcrm__contacts" where _rules is not null;

-- publish: release rows from quarantine
update ops.quarantine q
set released_at = clock_timestamp(), release_reason = case when false then 'deleted' when q.is_waived then 'waived' else 'repaired' end
from "staging"."promptcrm__contacts" s
where s._rules is null and q.feed = %(feed)s and q.key = s."contact_id"::text and q.released_at is null;

-- publish: move marked rows to quarantine
insert into ops.quarantine as q (feed, key, extraction, rules, suite_checksum, payload, is_core_stale)
select distinct on (coalesce(s."contact_id"::text, 'without key ' || md5((to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end)::text)))
       %(feed)s,
       coalesce(s."contact_id"::text, 'without key ' || md5((to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end)::text)),
       %(extraction)s, s._rules, %(suite_checksum)s,
       to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end,
       exists (select from "core"."contacts" c where c."contact_id" = s."contact_id")
from "staging"."promptcrm__contacts" s where s._rules is not null
on conflict (feed, key) where released_at is null do update
set extraction = excluded.extraction, rules = excluded.rules, suite_checksum = excluded.suite_checksum,
    payload = excluded.payload, is_core_stale = excluded.is_core_stale, is_waived = false,
    last_tried_at = clock_timestamp(), tries = q.tries + 1;

-- publish: a first load of core.contacts
select ops.insert_first_rows('contacts', 'promptcrm__contacts', %(extraction)s);

-- publish: upsert into core.contacts
with merged as (
    insert into "core"."contacts" as c ("contact_id", "owner_user_id", "account_id", "email_hmac", "is_email_valid", "phone_hmac", "pii_kid",
        "job_title", "country_code", "email_opt_in", "consent_at", "created_at", "updated_at", "deleted_at",
        _extraction, _loaded_at)
    select "contact_id", "owner_user_id", "account_id", "email_hmac", "is_email_valid", "phone_hmac", "pii_kid",
        "job_title", "country_code", "email_opt_in", "consent_at", "created_at", "updated_at", "deleted_at",
        %(extraction)s, clock_timestamp()
    from "staging"."promptcrm__contacts" where _rules is null order by "contact_id"
    on conflict ("contact_id") do update
    set "owner_user_id" = excluded."owner_user_id", "account_id" = excluded."account_id",
        "email_hmac" = excluded."email_hmac", "is_email_valid" = excluded."is_email_valid",
        "phone_hmac" = excluded."phone_hmac", "pii_kid" = excluded."pii_kid",
        "job_title" = excluded."job_title", "country_code" = excluded."country_code",
        "email_opt_in" = excluded."email_opt_in", "consent_at" = excluded."consent_at",
        "created_at" = excluded."created_at", "updated_at" = excluded."updated_at",
        "deleted_at" = excluded."deleted_at",
        _extraction = excluded._extraction, _loaded_at = excluded._loaded_at
    where c._extraction < excluded._extraction
      and row("c"."contact_id", "c"."owner_user_id", "c"."account_id", "c"."email_hmac", "c"."is_email_valid",
        "c"."phone_hmac", "c"."pii_kid", "c"."job_title", "c"."country_code", "c"."email_opt_in",
        "c"."consent_at", "c"."created_at", "c"."updated_at", "c"."deleted_at")
          is distinct from row("excluded"."contact_id", "excluded"."owner_user_id", "excluded"."account_id",
        "excluded"."email_hmac", "excluded"."is_email_valid", "excluded"."phone_hmac", "excluded"."pii_kid",
        "excluded"."job_title", "excluded"."country_code", "excluded"."email_opt_in",
        "excluded"."consent_at", "excluded"."created_at", "excluded"."updated_at", "excluded"."deleted_at")
    returning old."contact_id" is null as _is_new, new."contact_id"
)
select count(*) filter (where _is_new), count(*) filter (where not _is_new) from merged;

-- rotate: bridge old and new hashes (1)
insert into ops.pii_bridge (feed, column_name, old_hmac, old_kid, new_hmac, new_kid, expires_at)
select distinct on (old_hmac) %(feed)s, 'email_hmac', old_hmac, %(old_kid)s::integer, new_hmac, %(kid)s::integer,
       clock_timestamp() + make_interval(days => r.bridge_days)
from (
select c."email_hmac" as old_hmac, s."email_hmac" as new_hmac
from "core"."contacts" c join "staging"."promptcrm__contacts" s using ("contact_id")
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
from ops.quarantine q join "staging"."promptcrm__contacts" s on q.key = s."contact_id"::text
where q.feed = %(feed)s and (q.payload ->> 'pii_kid')::integer = %(old_kid)s
  and (q.payload ->> 'updated_at')::timestamptz = s."updated_at"
) p join ops.pii_rotation r on r.kid = %(kid)s
where old_hmac is not null and new_hmac is not null and r.bridge_days > 0
on conflict do nothing;

-- rotate: bridge old and new hashes (3)
insert into ops.pii_bridge (feed, column_name, old_hmac, old_kid, new_hmac, new_kid, expires_at)
select distinct on (old_hmac) %(feed)s, 'phone_hmac', old_hmac, %(old_kid)s::integer, new_hmac, %(kid)s::integer,
       clock_timestamp() + make_interval(days => r.bridge_days)
from (
select c."phone_hmac" as old_hmac, s."phone_hmac" as new_hmac
from "core"."contacts" c join "staging"."promptcrm__contacts" s using ("contact_id")
where c.pii_kid = %(old_kid)s and s.pii_kid = %(kid)s and c."updated_at" = s."updated_at"
) p join ops.pii_rotation r on r.kid = %(kid)s
where old_hmac is not null and new_hmac is not null and r.bridge_days > 0
on conflict do nothing;

-- rotate: bridge old and new hashes (4)
insert into ops.pii_bridge (feed, column_name, old_hmac, old_kid, new_hmac, new_kid, expires_at)
select distinct on (old_hmac) %(feed)s, 'phone_hmac', old_hmac, %(old_kid)s::integer, new_hmac, %(kid)s::integer,
       clock_timestamp() + make_interval(days => r.bridge_days)
from (
select decode(substr(q.payload ->> 'phone_hmac', 3), 'hex') as old_hmac, s."phone_hmac" as new_hmac
from ops.quarantine q join "staging"."promptcrm__contacts" s on q.key = s."contact_id"::text
where q.feed = %(feed)s and (q.payload ->> 'pii_kid')::integer = %(old_kid)s
  and (q.payload ->> 'updated_at')::timestamptz = s."updated_at"
) p join ops.pii_rotation r on r.kid = %(kid)s
where old_hmac is not null and new_hmac is not null and r.bridge_days > 0
on conflict do nothing;

-- rotate: remove hashes of the old key (1)
update "core"."contacts" c
set "email_hmac" = coalesce(s."email_hmac", null::bytea),
        "phone_hmac" = coalesce(s."phone_hmac", null::bytea), pii_kid = %(kid)s, _extraction = %(extraction)s
from "staging"."promptcrm__contacts" s
where s."contact_id" = c."contact_id" and c.pii_kid <> %(kid)s and s.pii_kid = %(kid)s;

-- rotate: remove hashes of the old key (2)
update "core"."contacts" c
set "email_hmac" = null::bytea, "phone_hmac" = null::bytea, pii_kid = %(kid)s
where c.pii_kid <> %(kid)s;

-- rotate: remove hashes of the old key (3)
update ops.quarantine
set payload = payload - '{email_hmac,phone_hmac}'::text[] || jsonb_build_object('pii_kid', %(kid)s::integer)
where feed = %(feed)s and (payload ->> 'pii_kid')::integer <> %(kid)s;

-- reconcile: which of some keys the source has
select "contact_id"::text from "etl"."contacts" where "contact_id" = any(%(keys)s::uuid[]);

-- reconcile: digests by bucket of the source
select ('x' || left(encode(sha256(convert_to("contact_id"::text, 'UTF8')), 'hex'), 3))::bit(12)::int as bucket, count(*), sum(('x' || left(encode(sha256(convert_to(row("contact_id", "owner_user_id", "account_id", "email_hmac", "is_email_valid", "phone_hmac", "pii_kid",
        "job_title", "country_code", "email_opt_in", "consent_at", "created_at", "updated_at", "deleted_at")::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint)
from (
    select "contact_id",
        case when "owner_user_id"::text = any(%(erased)s) then '00000000-0000-0000-0000-000000000000' else "owner_user_id" end as "owner_user_id",
        case when "account_id"::text = any(%(erased)s) then '00000000-0000-0000-0000-000000000000' else "account_id" end as "account_id",
        "email_hmac", "is_email_valid", "phone_hmac", "pii_kid", "job_title", "country_code", "email_opt_in",
        "consent_at", "created_at", "updated_at", "deleted_at"
    from "etl"."contacts"
    where "contact_id"::text <> all(%(suppressed)s)
) x where "contact_id" is not null and "contact_id"::text <> all(%(pending)s) group by 1;

-- reconcile: digests by key of the source
select "contact_id"::text collate "C" as key, ('x' || left(encode(sha256(convert_to(row("contact_id", "owner_user_id", "account_id", "email_hmac", "is_email_valid", "phone_hmac", "pii_kid",
        "job_title", "country_code", "email_opt_in", "consent_at", "created_at", "updated_at", "deleted_at")::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint as digest, "updated_at" as changed_at
from (
    select "contact_id",
        case when "owner_user_id"::text = any(%(erased)s) then '00000000-0000-0000-0000-000000000000' else "owner_user_id" end as "owner_user_id",
        case when "account_id"::text = any(%(erased)s) then '00000000-0000-0000-0000-000000000000' else "account_id" end as "account_id",
        "email_hmac", "is_email_valid", "phone_hmac", "pii_kid", "job_title", "country_code", "email_opt_in",
        "consent_at", "created_at", "updated_at", "deleted_at"
    from "etl"."contacts"
    where "contact_id"::text <> all(%(suppressed)s)
) x
where "contact_id" is not null and "contact_id"::text <> all(%(pending)s) and ('x' || left(encode(sha256(convert_to("contact_id"::text, 'UTF8')), 'hex'), 3))::bit(12)::int = any(%(buckets)s) order by 1;

-- reconcile: digests by bucket of the warehouse
select ('x' || left(encode(sha256(convert_to("contact_id"::text, 'UTF8')), 'hex'), 3))::bit(12)::int as bucket, count(*), sum(('x' || left(encode(sha256(convert_to(row("contact_id", "owner_user_id", "account_id", "email_hmac", "is_email_valid", "phone_hmac", "pii_kid",
        "job_title", "country_code", "email_opt_in", "consent_at", "created_at", "updated_at", "deleted_at")::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint)
from (
select "contact_id", "owner_user_id", "account_id", "email_hmac", "is_email_valid", "phone_hmac", "pii_kid",
        "job_title", "country_code", "email_opt_in", "consent_at", "created_at", "updated_at", "deleted_at" from "core"."contacts" c
where not exists (
    select from ops.quarantine q where q.feed = %(feed)s and q.key = c."contact_id"::text and q.released_at is null
) and not exists (
    select from ops.load l where l.feed = %(feed)s and l.extraction = c._extraction and l.mode = 'reconcile'
)
union all
select "r"."contact_id", "r"."owner_user_id", "r"."account_id", "r"."email_hmac", "r"."is_email_valid",
        "r"."phone_hmac", "r"."pii_kid", "r"."job_title", "r"."country_code", "r"."email_opt_in",
        "r"."consent_at", "r"."created_at", "r"."updated_at", "r"."deleted_at" from ops.quarantine q, jsonb_populate_record(null::"staging"."promptcrm__contacts", q.payload) r
where q.feed = %(feed)s and q.released_at is null
) x where "contact_id" is not null and "contact_id"::text <> all(%(pending)s) group by 1;

-- reconcile: digests by key of the warehouse
select "contact_id"::text collate "C" as key, ('x' || left(encode(sha256(convert_to(row("contact_id", "owner_user_id", "account_id", "email_hmac", "is_email_valid", "phone_hmac", "pii_kid",
        "job_title", "country_code", "email_opt_in", "consent_at", "created_at", "updated_at", "deleted_at")::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint as digest, "updated_at" as changed_at
from (
select "contact_id", "owner_user_id", "account_id", "email_hmac", "is_email_valid", "phone_hmac", "pii_kid",
        "job_title", "country_code", "email_opt_in", "consent_at", "created_at", "updated_at", "deleted_at" from "core"."contacts" c
where not exists (
    select from ops.quarantine q where q.feed = %(feed)s and q.key = c."contact_id"::text and q.released_at is null
) and not exists (
    select from ops.load l where l.feed = %(feed)s and l.extraction = c._extraction and l.mode = 'reconcile'
)
union all
select "r"."contact_id", "r"."owner_user_id", "r"."account_id", "r"."email_hmac", "r"."is_email_valid",
        "r"."phone_hmac", "r"."pii_kid", "r"."job_title", "r"."country_code", "r"."email_opt_in",
        "r"."consent_at", "r"."created_at", "r"."updated_at", "r"."deleted_at" from ops.quarantine q, jsonb_populate_record(null::"staging"."promptcrm__contacts", q.payload) r
where q.feed = %(feed)s and q.released_at is null
) x
where "contact_id" is not null and "contact_id"::text <> all(%(pending)s) and ('x' || left(encode(sha256(convert_to("contact_id"::text, 'UTF8')), 'hex'), 3))::bit(12)::int = any(%(buckets)s) order by 1;

-- reconcile: soft-delete rows that the source no longer has
with merged as (
    update "core"."contacts" c
    set deleted_at = coalesce(c.deleted_at, %(read_at)s), _extraction = %(extraction)s,
        _loaded_at = clock_timestamp()
    where c."contact_id" = any(%(keys)s::uuid[])
    returning true as _is_gone
)
select count(*) from merged;

-- erase: find a person's rows in core
select %(feed)s as feed, "contact_id"::text as key, 'core' as place, "email_hmac" as email_hmac, "pii_kid" as pii_kid,
       "updated_at" as row_changed_at, array_remove(array["email_hmac", "phone_hmac"]::bytea[], null) as hashes,
       array_remove(array[case when "email_hmac" is not null then 'email_hmac' end,
        case when "phone_hmac" is not null then 'phone_hmac' end]::text[], null) as kinds
from "core"."contacts"
where true and ("contact_id"::text = %(key)s or array["email_hmac", "phone_hmac"]::bytea[] && %(hashes)s::bytea[]);

-- erase: find a person's rows in quarantine
select %(feed)s as feed, key as key, 'quarantine' as place, decode(substr(payload ->> 'email_hmac', 3), 'hex') as email_hmac, (payload ->> 'pii_kid')::integer as pii_kid,
       (payload ->> 'updated_at')::timestamptz as row_changed_at, array_remove(array[decode(substr(payload ->> 'email_hmac', 3), 'hex'), decode(substr(payload ->> 'phone_hmac', 3), 'hex')]::bytea[], null) as hashes,
       array_remove(array[case when decode(substr(payload ->> 'email_hmac', 3), 'hex') is not null then 'email_hmac' end,
        case when decode(substr(payload ->> 'phone_hmac', 3), 'hex') is not null then 'phone_hmac' end]::text[], null) as kinds
from ops.quarantine
where feed = %(feed)s and (key = %(key)s or array[decode(substr(payload ->> 'email_hmac', 3), 'hex'), decode(substr(payload ->> 'phone_hmac', 3), 'hex')]::bytea[] && %(hashes)s::bytea[]);
