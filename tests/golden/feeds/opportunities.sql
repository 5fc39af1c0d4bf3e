-- Written by `python -m tests.golden` from warehouse/core/opportunities; do not edit.
-- The statements are as psycopg gets them: %(name)s and %s stand for parameters, %% for a percent sign.

-- provision: the hashing view at the source
drop view if exists "etl"."opportunities";
grant usage on schema "crm" to etl_owner;
revoke select on "crm"."opportunities" from etl_owner;
grant select ("account_id", "amount", "campaign_id", "closed_at", "created_at", "currency_code", "deleted_at",
        "expected_close_date", "id", "lost_reason", "merged_into_id", "owner_user_id", "primary_contact_id",
        "probability", "source_lead_id", "stage_entered_at", "stage_id", "updated_at") on "crm"."opportunities" to etl_owner;
create view "etl"."opportunities" with (security_barrier) as
    select "id" as "opportunity_id", "owner_user_id" as "owner_user_id", "account_id" as "account_id",
        "primary_contact_id" as "primary_contact_id", "source_lead_id" as "source_lead_id",
        "campaign_id" as "campaign_id", "stage_id" as "stage_id", "stage_entered_at" as "stage_entered_at",
        "amount" as "amount", "currency_code" as "currency_code", "probability" as "probability",
        "expected_close_date" as "expected_close_date", "closed_at" as "closed_at",
        (case when "lost_reason"::text collate "C" ~  E'[@+]|\\u002540|\\u00252[Bb]|(?:^|[^0-9])0[0-9]|[0-9][ .)-]' then regexp_replace(regexp_replace("lost_reason"::text collate "C",  E'(?:\\+|\\u00252[Bb])[ (]?[0-9](?:[ ./()-]{0,3}[0-9]){6,22}|(?<![0-9A-Za-z_.,-])\\(?0(?:[0-9]{2}(?:[ ./()-]{0,3}[0-9]){6,22}|[1-9](?:[ .-][0-9]{2}){4})(?!-?[0-9A-Za-z_])|(?<![0-9A-Za-z_.,-])(?:1[ .-])?(?:\\([2-9][0-9]{2}\\) ?|[2-9][0-9]{2}[ .-])[2-9][0-9]{2}[ .-][0-9]{4}(?!-?[0-9A-Za-z_])', '***', 'g'),  E'[^ \\t\\n\\r\\f\\v<>()\\[\\]{}",;:|/?&=#]+(?:@|\\u002540)[^ \\t\\n\\r\\f\\v<>()\\[\\]{}",;:|/?&=#]+[.][^ \\t\\n\\r\\f\\v<>()\\[\\]{}",;:|/?&=#]+', '***', 'g') else "lost_reason"::text end)::character varying(100) as "lost_reason",
        "merged_into_id" as "merged_into_id", "created_at" as "created_at", "updated_at" as "updated_at",
        "deleted_at" as "deleted_at"
    from "crm"."opportunities";
alter view "etl"."opportunities" owner to etl_owner;
grant select on "etl"."opportunities" to etl_reader;

-- provision: the staging table
drop table if exists "staging"."promptcrm__opportunities";
create unlogged table "staging"."promptcrm__opportunities" (
        "opportunity_id" uuid, "owner_user_id" uuid, "account_id" uuid, "primary_contact_id" uuid,
        "source_lead_id" uuid, "campaign_id" uuid, "stage_id" uuid,
        "stage_entered_at" timestamp with time zone, "amount" numeric(14,2), "currency_code" character(3),
        "probability" numeric(5,4), "expected_close_date" date, "closed_at" timestamp with time zone,
        "lost_reason" character varying(100), "merged_into_id" uuid, "created_at" timestamp with time zone,
        "updated_at" timestamp with time zone, "deleted_at" timestamp with time zone,
        "_load_id" bigint not null, "_row" bigint not null generated always as identity, "_rules" text[],
        "_misfits" text[]
);
comment on table "staging"."promptcrm__opportunities" is 'Rows of crm.opportunities on their way into core.opportunities; emptied by each load.';

-- extract: a first load
copy (
    select "opportunity_id", "owner_user_id", "account_id", "primary_contact_id", "source_lead_id",
        "campaign_id", "stage_id", "stage_entered_at", "amount", "currency_code", "probability",
        "expected_close_date", "closed_at", "lost_reason", "merged_into_id", "created_at", "updated_at",
        "deleted_at", 42::bigint
    from "etl"."opportunities"
    where true
) to stdout (format binary); -- noqa

-- extract: a delta
copy (
    select "opportunity_id", "owner_user_id", "account_id", "primary_contact_id", "source_lead_id",
        "campaign_id", "stage_id", "stage_entered_at", "amount", "currency_code", "probability",
        "expected_close_date", "closed_at", "lost_reason", "merged_into_id", "created_at", "updated_at",
        "deleted_at", 42::bigint
    from "etl"."opportunities"
    where "updated_at" >= '2026-01-02 03:04:05+00:00'::timestamptz
) to stdout (format binary); -- noqa

-- extract: a delta with the quarantined keys that are due
copy (
    select "opportunity_id", "owner_user_id", "account_id", "primary_contact_id", "source_lead_id",
        "campaign_id", "stage_id", "stage_entered_at", "amount", "currency_code", "probability",
        "expected_close_date", "closed_at", "lost_reason", "merged_into_id", "created_at", "updated_at",
        "deleted_at", 42::bigint
    from "etl"."opportunities"
    where ("updated_at" >= '2026-01-02 03:04:05+00:00'::timestamptz or "opportunity_id" = any('{"a key","another key"}'::uuid[]))
) to stdout (format binary); -- noqa

-- extract: a window
copy (
    select "opportunity_id", "owner_user_id", "account_id", "primary_contact_id", "source_lead_id",
        "campaign_id", "stage_id", "stage_entered_at", "amount", "currency_code", "probability",
        "expected_close_date", "closed_at", "lost_reason", "merged_into_id", "created_at", "updated_at",
        "deleted_at", 42::bigint
    from "etl"."opportunities"
    where "updated_at" >= '2026-01-01 00:00:00+00:00'::timestamptz and "updated_at" < '2026-02-01 00:00:00+00:00'::timestamptz
) to stdout (format binary); -- noqa

-- stage: empty the staging table
truncate "staging"."promptcrm__opportunities";

-- stage: copy rows into staging
copy "staging"."promptcrm__opportunities" ("opportunity_id", "owner_user_id", "account_id", "primary_contact_id", "source_lead_id",
                "campaign_id", "stage_id", "stage_entered_at", "amount", "currency_code", "probability",
                "expected_close_date", "closed_at", "lost_reason", "merged_into_id", "created_at", "updated_at",
                "deleted_at", _load_id) from stdin (format binary); -- noqa

-- suppress: find rows of erased persons that core still has
select x.key, x.person_hmac, x.pii_kid, x.row_changed_at
from ops.suppression x join "staging"."promptcrm__opportunities" s on x.key = s."opportunity_id"::text
where x.feed = %(feed)s and exists (select from "core"."opportunities" c where c."opportunity_id" = s."opportunity_id");

-- suppress: drop rows of erased persons
delete from "staging"."promptcrm__opportunities" s using ops.suppression x where x.feed = %(feed)s and x.key = s."opportunity_id"::text;

-- suppress: replace references to erased persons
update "staging"."promptcrm__opportunities"
set "owner_user_id" = case when "owner_user_id"::text in (select key from ops.suppression where length(key) >= 16)
            then '00000000-0000-0000-0000-000000000000' else "owner_user_id" end,
        "account_id" = case when "account_id"::text in (select key from ops.suppression where length(key) >= 16)
            then '00000000-0000-0000-0000-000000000000' else "account_id" end,
        "primary_contact_id" = case when "primary_contact_id"::text in (select key from ops.suppression where length(key) >= 16)
            then '00000000-0000-0000-0000-000000000000' else "primary_contact_id" end,
        "source_lead_id" = case when "source_lead_id"::text in (select key from ops.suppression where length(key) >= 16)
            then '00000000-0000-0000-0000-000000000000' else "source_lead_id" end,
        "campaign_id" = case when "campaign_id"::text in (select key from ops.suppression where length(key) >= 16)
            then '00000000-0000-0000-0000-000000000000' else "campaign_id" end,
        "stage_id" = case when "stage_id"::text in (select key from ops.suppression where length(key) >= 16)
            then '00000000-0000-0000-0000-000000000000' else "stage_id" end,
        "merged_into_id" = case when "merged_into_id"::text in (select key from ops.suppression where length(key) >= 16)
            then '00000000-0000-0000-0000-000000000000' else "merged_into_id" end
where "owner_user_id"::text in (select key from ops.suppression where length(key) >= 16) or
        "account_id"::text in (select key from ops.suppression where length(key) >= 16) or
        "primary_contact_id"::text in (select key from ops.suppression where length(key) >= 16) or
        "source_lead_id"::text in (select key from ops.suppression where length(key) >= 16) or
        "campaign_id"::text in (select key from ops.suppression where length(key) >= 16) or
        "stage_id"::text in (select key from ops.suppression where length(key) >= 16) or
        "merged_into_id"::text in (select key from ops.suppression where length(key) >= 16);

-- stage: drop rows that are in quarantine unchanged
delete from "staging"."promptcrm__opportunities" s using ops.quarantine q
where q.feed = %(feed)s
  and q.key = coalesce(s."opportunity_id"::text, 'without key ' || md5((to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end)::text))
  and q.released_at is null and not q.is_waived
  and q.suite_checksum = %(suite_checksum)s and q.last_tried_at >= %(read_at)s - interval '1 day'
  and q.payload = to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end;

-- stage: analyze
analyze "staging"."promptcrm__opportunities" ("opportunity_id", "updated_at");

-- stage: drop rows that equal core
delete from "staging"."promptcrm__opportunities" s using "core"."opportunities" c
where s."updated_at" <= %(seen_through)s and s._misfits is null
  and c."opportunity_id" = s."opportunity_id"
  and row("s"."opportunity_id", "s"."owner_user_id", "s"."account_id", "s"."primary_contact_id",
        "s"."source_lead_id", "s"."campaign_id", "s"."stage_id", "s"."stage_entered_at", "s"."amount",
        "s"."currency_code", "s"."probability", "s"."expected_close_date", "s"."closed_at",
        "s"."lost_reason", "s"."merged_into_id", "s"."created_at", "s"."updated_at", "s"."deleted_at")
      is not distinct from row("c"."opportunity_id", "c"."owner_user_id", "c"."account_id", "c"."primary_contact_id",
        "c"."source_lead_id", "c"."campaign_id", "c"."stage_id", "c"."stage_entered_at", "c"."amount",
        "c"."currency_code", "c"."probability", "c"."expected_close_date", "c"."closed_at",
        "c"."lost_reason", "c"."merged_into_id", "c"."created_at", "c"."updated_at", "c"."deleted_at")
  and not exists (
      select from ops.quarantine q where q.feed = %(feed)s and q.key = s."opportunity_id"::text and q.released_at is null
  );

-- check: count the staged rows
select count(*) from "staging"."promptcrm__opportunities" where _load_id = %(extraction)s;

-- check: clear earlier verdicts
update "staging"."promptcrm__opportunities" set _rules = _misfits where _rules is distinct from _misfits;

-- check: mark rows by number
update "staging"."promptcrm__opportunities" set _rules = array_append(_rules, %(rule)s) where _row = any(%(rows)s);

-- check: mark rows that break closed_unlike_its_stage
update "staging"."promptcrm__opportunities" set _rules = array_append(_rules, %(rule)s) where "opportunity_id" in (select b.opportunity_id from "staging"."promptcrm__opportunities" b
join core.pipeline_stages s using (stage_id)
where s.is_closed <> (b.closed_at is not null)
);

-- check: let rows pass that were released by hand
update "staging"."promptcrm__opportunities" s set _rules = null from ops.quarantine q
where s._rules is not null and q.feed = %(feed)s and q.key = s."opportunity_id"::text
  and q.is_waived
  and (q.payload = to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end
       -- hashed with another key since, but the same version: the cursor is part of it
       or q.payload -> 'pii_kid' <> to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end -> 'pii_kid'
          and q.payload - '{pii_kid}'::text[] = to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end - '{pii_kid}'::text[]);

-- check: count the marked rows
select count(*) from "staging"."promptcrm__opportunities" where _rules is not null;

-- publish: release rows from quarantine
update ops.quarantine q
set released_at = clock_timestamp(), release_reason = case when false then 'deleted' when q.is_waived then 'waived' else 'repaired' end
from "staging"."promptcrm__opportunities" s
where s._rules is null and q.feed = %(feed)s and q.key = s."opportunity_id"::text and q.released_at is null;

-- publish: move marked rows to quarantine
insert into ops.quarantine as q (feed, key, extraction, rules, suite_checksum, payload, is_core_stale)
select distinct on (coalesce(s."opportunity_id"::text, 'without key ' || md5((to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end)::text)))
       %(feed)s,
       coalesce(s."opportunity_id"::text, 'without key ' || md5((to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end)::text)),
       %(extraction)s, s._rules, %(suite_checksum)s,
       to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end,
       exists (select from "core"."opportunities" c where c."opportunity_id" = s."opportunity_id")
from "staging"."promptcrm__opportunities" s where s._rules is not null
on conflict (feed, key) where released_at is null do update
set extraction = excluded.extraction, rules = excluded.rules, suite_checksum = excluded.suite_checksum,
    payload = excluded.payload, is_core_stale = excluded.is_core_stale, is_waived = false,
    last_tried_at = clock_timestamp(), tries = q.tries + 1;

-- publish: a first load of core.opportunities
select ops.insert_first_rows('opportunities', 'promptcrm__opportunities', %(extraction)s);

-- publish: note the days of a first load
with merged as (
    select array["new"."opportunity_id"::text, "new"."account_id"::text] as "_new_entities",
        array[("new"."created_at" at time zone 'UTC')::date, ("new"."closed_at" at time zone 'UTC')::date] as "_new_days"
    from "staging"."promptcrm__opportunities" as new where _rules is null
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

-- publish: upsert into core.opportunities
with merged as (
    insert into "core"."opportunities" as c ("opportunity_id", "owner_user_id", "account_id", "primary_contact_id", "source_lead_id",
        "campaign_id", "stage_id", "stage_entered_at", "amount", "currency_code", "probability",
        "expected_close_date", "closed_at", "lost_reason", "merged_into_id", "created_at", "updated_at",
        "deleted_at",
        _extraction, _loaded_at)
    select "opportunity_id", "owner_user_id", "account_id", "primary_contact_id", "source_lead_id",
        "campaign_id", "stage_id", "stage_entered_at", "amount", "currency_code", "probability",
        "expected_close_date", "closed_at", "lost_reason", "merged_into_id", "created_at", "updated_at",
        "deleted_at",
        %(extraction)s, clock_timestamp()
    from "staging"."promptcrm__opportunities" where _rules is null order by "opportunity_id"
    on conflict ("opportunity_id") do update
    set "owner_user_id" = excluded."owner_user_id", "account_id" = excluded."account_id",
        "primary_contact_id" = excluded."primary_contact_id", "source_lead_id" = excluded."source_lead_id",
        "campaign_id" = excluded."campaign_id", "stage_id" = excluded."stage_id",
        "stage_entered_at" = excluded."stage_entered_at", "amount" = excluded."amount",
        "currency_code" = excluded."currency_code", "probability" = excluded."probability",
        "expected_close_date" = excluded."expected_close_date", "closed_at" = excluded."closed_at",
        "lost_reason" = excluded."lost_reason", "merged_into_id" = excluded."merged_into_id",
        "created_at" = excluded."created_at", "updated_at" = excluded."updated_at",
        "deleted_at" = excluded."deleted_at",
        _extraction = excluded._extraction, _loaded_at = excluded._loaded_at
    where c._extraction < excluded._extraction
      and row("c"."opportunity_id", "c"."owner_user_id", "c"."account_id", "c"."primary_contact_id",
        "c"."source_lead_id", "c"."campaign_id", "c"."stage_id", "c"."stage_entered_at", "c"."amount",
        "c"."currency_code", "c"."probability", "c"."expected_close_date", "c"."closed_at",
        "c"."lost_reason", "c"."merged_into_id", "c"."created_at", "c"."updated_at", "c"."deleted_at")
          is distinct from row("excluded"."opportunity_id", "excluded"."owner_user_id", "excluded"."account_id",
        "excluded"."primary_contact_id", "excluded"."source_lead_id", "excluded"."campaign_id",
        "excluded"."stage_id", "excluded"."stage_entered_at", "excluded"."amount",
        "excluded"."currency_code", "excluded"."probability", "excluded"."expected_close_date",
        "excluded"."closed_at", "excluded"."lost_reason", "excluded"."merged_into_id",
        "excluded"."created_at", "excluded"."updated_at", "excluded"."deleted_at")
    returning old."opportunity_id" is null as _is_new, new."opportunity_id",
        new."updated_at" as _changed_at, "new"."stage_id", "new"."amount", "new"."owner_user_id",
        row("old"."stage_id", "old"."amount", "old"."owner_user_id") is distinct from row("new"."stage_id", "new"."amount", "new"."owner_user_id") as _is_new_version,
        array["old"."opportunity_id"::text, "old"."account_id"::text] as "_old_entities",
        array[("old"."created_at" at time zone 'UTC')::date, ("old"."closed_at" at time zone 'UTC')::date] as "_old_days",
        array["new"."opportunity_id"::text, "new"."account_id"::text] as "_new_entities",
        array[("new"."created_at" at time zone 'UTC')::date, ("new"."closed_at" at time zone 'UTC')::date] as "_new_days"
), ended as (
    insert into "core"."opportunities_history" as h ("opportunity_id", "stage_id", "amount", "owner_user_id", valid_from, valid_to)
    select "opportunity_id", "stage_id", "amount", "owner_user_id", case when _is_new then '-infinity' else _changed_at end, 'infinity'
    from merged where _is_new or _is_new_version
    on conflict ("opportunity_id") where valid_to = 'infinity' do update
    set valid_to = coalesce(
        nullif(
            greatest(nullif(excluded.valid_from, '-infinity'), h.valid_from + interval '1 microsecond'),
            '-infinity'
        ),
        clock_timestamp()
    )
    where row("h"."stage_id", "h"."amount", "h"."owner_user_id") is distinct from row("excluded"."stage_id", "excluded"."amount", "excluded"."owner_user_id")
    returning old."opportunity_id" is not null as _is_ended, new."opportunity_id", new.valid_to as _valid_to
), begun as (
    insert into "core"."opportunities_history" ("opportunity_id", "stage_id", "amount", "owner_user_id", valid_from, valid_to)
    select "opportunity_id", "stage_id", "amount", "owner_user_id", _valid_to, 'infinity'
    from ended join merged using ("opportunity_id") where _is_ended
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
select "opportunity_id"::text from "etl"."opportunities" where "opportunity_id" = any(%(keys)s::uuid[]);

-- reconcile: digests by bucket of the source
select ('x' || left(encode(sha256(convert_to("opportunity_id"::text, 'UTF8')), 'hex'), 3))::bit(12)::int as bucket, count(*), sum(('x' || left(encode(sha256(convert_to(row("opportunity_id", "owner_user_id", "account_id", "primary_contact_id", "source_lead_id",
        "campaign_id", "stage_id", "stage_entered_at", "amount", "currency_code", "probability",
        "expected_close_date", "closed_at", "lost_reason", "merged_into_id", "created_at", "updated_at",
        "deleted_at")::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint)
from (
    select "opportunity_id",
        case when "owner_user_id"::text = any(%(erased)s) then '00000000-0000-0000-0000-000000000000' else "owner_user_id" end as "owner_user_id",
        case when "account_id"::text = any(%(erased)s) then '00000000-0000-0000-0000-000000000000' else "account_id" end as "account_id",
        case when "primary_contact_id"::text = any(%(erased)s) then '00000000-0000-0000-0000-000000000000' else "primary_contact_id" end as "primary_contact_id",
        case when "source_lead_id"::text = any(%(erased)s) then '00000000-0000-0000-0000-000000000000' else "source_lead_id" end as "source_lead_id",
        case when "campaign_id"::text = any(%(erased)s) then '00000000-0000-0000-0000-000000000000' else "campaign_id" end as "campaign_id",
        case when "stage_id"::text = any(%(erased)s) then '00000000-0000-0000-0000-000000000000' else "stage_id" end as "stage_id",
        "stage_entered_at", "amount", "currency_code", "probability", "expected_close_date", "closed_at",
        "lost_reason",
        case when "merged_into_id"::text = any(%(erased)s) then '00000000-0000-0000-0000-000000000000' else "merged_into_id" end as "merged_into_id",
        "created_at", "updated_at", "deleted_at"
    from "etl"."opportunities"
    where "opportunity_id"::text <> all(%(suppressed)s)
) x where "opportunity_id" is not null and "opportunity_id"::text <> all(%(pending)s) group by 1;

-- reconcile: digests by key of the source
select "opportunity_id"::text collate "C" as key, ('x' || left(encode(sha256(convert_to(row("opportunity_id", "owner_user_id", "account_id", "primary_contact_id", "source_lead_id",
        "campaign_id", "stage_id", "stage_entered_at", "amount", "currency_code", "probability",
        "expected_close_date", "closed_at", "lost_reason", "merged_into_id", "created_at", "updated_at",
        "deleted_at")::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint as digest, "updated_at" as changed_at
from (
    select "opportunity_id",
        case when "owner_user_id"::text = any(%(erased)s) then '00000000-0000-0000-0000-000000000000' else "owner_user_id" end as "owner_user_id",
        case when "account_id"::text = any(%(erased)s) then '00000000-0000-0000-0000-000000000000' else "account_id" end as "account_id",
        case when "primary_contact_id"::text = any(%(erased)s) then '00000000-0000-0000-0000-000000000000' else "primary_contact_id" end as "primary_contact_id",
        case when "source_lead_id"::text = any(%(erased)s) then '00000000-0000-0000-0000-000000000000' else "source_lead_id" end as "source_lead_id",
        case when "campaign_id"::text = any(%(erased)s) then '00000000-0000-0000-0000-000000000000' else "campaign_id" end as "campaign_id",
        case when "stage_id"::text = any(%(erased)s) then '00000000-0000-0000-0000-000000000000' else "stage_id" end as "stage_id",
        "stage_entered_at", "amount", "currency_code", "probability", "expected_close_date", "closed_at",
        "lost_reason",
        case when "merged_into_id"::text = any(%(erased)s) then '00000000-0000-0000-0000-000000000000' else "merged_into_id" end as "merged_into_id",
        "created_at", "updated_at", "deleted_at"
    from "etl"."opportunities"
    where "opportunity_id"::text <> all(%(suppressed)s)
) x
where "opportunity_id" is not null and "opportunity_id"::text <> all(%(pending)s) and ('x' || left(encode(sha256(convert_to("opportunity_id"::text, 'UTF8')), 'hex'), 3))::bit(12)::int = any(%(buckets)s) order by 1;

-- reconcile: total of amount of the source
select sum("amount") from (
            select "opportunity_id",
                case when "owner_user_id"::text = any(%(erased)s) then '00000000-0000-0000-0000-000000000000' else "owner_user_id" end as "owner_user_id",
                case when "account_id"::text = any(%(erased)s) then '00000000-0000-0000-0000-000000000000' else "account_id" end as "account_id",
                case when "primary_contact_id"::text = any(%(erased)s) then '00000000-0000-0000-0000-000000000000' else "primary_contact_id" end as "primary_contact_id",
                case when "source_lead_id"::text = any(%(erased)s) then '00000000-0000-0000-0000-000000000000' else "source_lead_id" end as "source_lead_id",
                case when "campaign_id"::text = any(%(erased)s) then '00000000-0000-0000-0000-000000000000' else "campaign_id" end as "campaign_id",
                case when "stage_id"::text = any(%(erased)s) then '00000000-0000-0000-0000-000000000000' else "stage_id" end as "stage_id",
                "stage_entered_at", "amount", "currency_code", "probability", "expected_close_date", "closed_at",
                "lost_reason",
                case when "merged_into_id"::text = any(%(erased)s) then '00000000-0000-0000-0000-000000000000' else "merged_into_id" end as "merged_into_id",
                "created_at", "updated_at", "deleted_at"
            from "etl"."opportunities"
            where "opportunity_id"::text <> all(%(suppressed)s)
        ) x where "opportunity_id"::text <> all(%(pending)s);

-- reconcile: digests by bucket of the warehouse
select ('x' || left(encode(sha256(convert_to("opportunity_id"::text, 'UTF8')), 'hex'), 3))::bit(12)::int as bucket, count(*), sum(('x' || left(encode(sha256(convert_to(row("opportunity_id", "owner_user_id", "account_id", "primary_contact_id", "source_lead_id",
        "campaign_id", "stage_id", "stage_entered_at", "amount", "currency_code", "probability",
        "expected_close_date", "closed_at", "lost_reason", "merged_into_id", "created_at", "updated_at",
        "deleted_at")::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint)
from (
select "opportunity_id", "owner_user_id", "account_id", "primary_contact_id", "source_lead_id",
        "campaign_id", "stage_id", "stage_entered_at", "amount", "currency_code", "probability",
        "expected_close_date", "closed_at", "lost_reason", "merged_into_id", "created_at", "updated_at",
        "deleted_at" from "core"."opportunities" c
where not exists (
    select from ops.quarantine q where q.feed = %(feed)s and q.key = c."opportunity_id"::text and q.released_at is null
) and not exists (
    select from ops.load l where l.feed = %(feed)s and l.extraction = c._extraction and l.mode = 'reconcile'
)
union all
select "r"."opportunity_id", "r"."owner_user_id", "r"."account_id", "r"."primary_contact_id",
        "r"."source_lead_id", "r"."campaign_id", "r"."stage_id", "r"."stage_entered_at", "r"."amount",
        "r"."currency_code", "r"."probability", "r"."expected_close_date", "r"."closed_at",
        "r"."lost_reason", "r"."merged_into_id", "r"."created_at", "r"."updated_at", "r"."deleted_at" from ops.quarantine q, jsonb_populate_record(null::"staging"."promptcrm__opportunities", q.payload) r
where q.feed = %(feed)s and q.released_at is null
) x where "opportunity_id" is not null and "opportunity_id"::text <> all(%(pending)s) group by 1;

-- reconcile: digests by key of the warehouse
select "opportunity_id"::text collate "C" as key, ('x' || left(encode(sha256(convert_to(row("opportunity_id", "owner_user_id", "account_id", "primary_contact_id", "source_lead_id",
        "campaign_id", "stage_id", "stage_entered_at", "amount", "currency_code", "probability",
        "expected_close_date", "closed_at", "lost_reason", "merged_into_id", "created_at", "updated_at",
        "deleted_at")::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint as digest, "updated_at" as changed_at
from (
select "opportunity_id", "owner_user_id", "account_id", "primary_contact_id", "source_lead_id",
        "campaign_id", "stage_id", "stage_entered_at", "amount", "currency_code", "probability",
        "expected_close_date", "closed_at", "lost_reason", "merged_into_id", "created_at", "updated_at",
        "deleted_at" from "core"."opportunities" c
where not exists (
    select from ops.quarantine q where q.feed = %(feed)s and q.key = c."opportunity_id"::text and q.released_at is null
) and not exists (
    select from ops.load l where l.feed = %(feed)s and l.extraction = c._extraction and l.mode = 'reconcile'
)
union all
select "r"."opportunity_id", "r"."owner_user_id", "r"."account_id", "r"."primary_contact_id",
        "r"."source_lead_id", "r"."campaign_id", "r"."stage_id", "r"."stage_entered_at", "r"."amount",
        "r"."currency_code", "r"."probability", "r"."expected_close_date", "r"."closed_at",
        "r"."lost_reason", "r"."merged_into_id", "r"."created_at", "r"."updated_at", "r"."deleted_at" from ops.quarantine q, jsonb_populate_record(null::"staging"."promptcrm__opportunities", q.payload) r
where q.feed = %(feed)s and q.released_at is null
) x
where "opportunity_id" is not null and "opportunity_id"::text <> all(%(pending)s) and ('x' || left(encode(sha256(convert_to("opportunity_id"::text, 'UTF8')), 'hex'), 3))::bit(12)::int = any(%(buckets)s) order by 1;

-- reconcile: total of amount of the warehouse
select sum("amount") from (
        select "opportunity_id", "owner_user_id", "account_id", "primary_contact_id", "source_lead_id",
                "campaign_id", "stage_id", "stage_entered_at", "amount", "currency_code", "probability",
                "expected_close_date", "closed_at", "lost_reason", "merged_into_id", "created_at", "updated_at",
                "deleted_at" from "core"."opportunities" c
        where not exists (
            select from ops.quarantine q where q.feed = %(feed)s and q.key = c."opportunity_id"::text and q.released_at is null
        ) and not exists (
            select from ops.load l where l.feed = %(feed)s and l.extraction = c._extraction and l.mode = 'reconcile'
        )
        union all
        select "r"."opportunity_id", "r"."owner_user_id", "r"."account_id", "r"."primary_contact_id",
                "r"."source_lead_id", "r"."campaign_id", "r"."stage_id", "r"."stage_entered_at", "r"."amount",
                "r"."currency_code", "r"."probability", "r"."expected_close_date", "r"."closed_at",
                "r"."lost_reason", "r"."merged_into_id", "r"."created_at", "r"."updated_at", "r"."deleted_at" from ops.quarantine q, jsonb_populate_record(null::"staging"."promptcrm__opportunities", q.payload) r
        where q.feed = %(feed)s and q.released_at is null
    ) x where "opportunity_id"::text <> all(%(pending)s);

-- reconcile: soft-delete rows that the source no longer has
with merged as (
    update "core"."opportunities" c
    set deleted_at = coalesce(c.deleted_at, %(read_at)s), _extraction = %(extraction)s,
        _loaded_at = clock_timestamp()
    where c."opportunity_id" = any(%(keys)s::uuid[])
    returning true as _is_gone,
        array["old"."opportunity_id"::text, "old"."account_id"::text] as "_old_entities",
        array[("old"."created_at" at time zone 'UTC')::date, ("old"."closed_at" at time zone 'UTC')::date] as "_old_days",
        array["new"."opportunity_id"::text, "new"."account_id"::text] as "_new_entities",
        array[("new"."created_at" at time zone 'UTC')::date, ("new"."closed_at" at time zone 'UTC')::date] as "_new_days"
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
select %(feed)s as feed, "opportunity_id"::text as key, 'core' as place, null::bytea as email_hmac, null::integer as pii_kid,
       "updated_at" as row_changed_at, array_remove(array[]::bytea[], null) as hashes,
       array_remove(array[]::text[], null) as kinds
from "core"."opportunities"
where true and ("opportunity_id"::text = %(key)s or array[]::bytea[] && %(hashes)s::bytea[]);

-- erase: find a person's rows in quarantine
select %(feed)s as feed, key as key, 'quarantine' as place, null::bytea as email_hmac, (payload ->> 'pii_kid')::integer as pii_kid,
       (payload ->> 'updated_at')::timestamptz as row_changed_at, array_remove(array[]::bytea[], null) as hashes,
       array_remove(array[]::text[], null) as kinds
from ops.quarantine
where feed = %(feed)s and (key = %(key)s or array[]::bytea[] && %(hashes)s::bytea[]);

-- erase: touch the days of rows that name a person
insert into ops.touched (core_table, entity_id, day)
            select distinct %(feed)s, e.entity, (d.moment at time zone 'UTC')::date
    from "core"."opportunities" t cross join unnest(array["t"."opportunity_id"::text, "t"."account_id"::text]) e(entity) cross join unnest(array["t"."created_at", "t"."closed_at"]) d(moment)
    where (exists (select from unnest(%(needles)s::text[]) needle where position(needle in lower((t.*)::text)) > 0) or "opportunity_id" in (select "opportunity_id" from "core"."opportunities_history" t where exists (select from unnest(%(needles)s::text[]) needle where position(needle in lower((t.*)::text)) > 0))) and d.moment is not null and e.entity is not null
            on conflict (core_table, entity_id, day) do update set touched_at = clock_timestamp();
