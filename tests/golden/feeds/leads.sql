-- Written by `python -m tests.golden` from warehouse/core/leads; do not edit.
-- The statements are as psycopg gets them: %(name)s and %s stand for parameters, %% for a percent sign.

-- provision: the hashing view at the source
drop view if exists "etl"."leads";
grant usage on schema "crm" to etl_owner;
revoke select on "crm"."leads" from etl_owner;
grant select ("ad_id", "campaign_id", "click_id", "company_name", "converted_account_id", "converted_at",
        "converted_contact_id", "converted_opportunity_id", "country_code", "created_at", "deleted_at",
        "disqualified_at", "disqualified_reason", "email", "id", "job_title", "lead_source",
        "merged_into_id", "owner_user_id", "phone", "qualified_at", "score", "status", "updated_at",
        "utm_campaign", "utm_content", "utm_medium", "utm_source", "utm_term") on "crm"."leads" to etl_owner;
create view "etl"."leads" with (security_barrier) as
    select "id" as "lead_id", "owner_user_id" as "owner_user_id",
        sha256((select outer_pad from etl.pii_pad where is_active) || sha256(
            (select inner_pad from etl.pii_pad where is_active) ||  E'email\\000'::bytea
            || convert_to(nullif(lower(btrim(case when octet_length("email"::text) = char_length("email"::text) then "email"::text else normalize("email"::text, nfc) end, E' \t\n\r\f\v') collate "C"), ''), 'UTF8'))) as "email_hmac",
        nullif(lower(btrim(case when octet_length("email"::text) = char_length("email"::text) then "email"::text else normalize("email"::text, nfc) end, E' \t\n\r\f\v') collate "C"), '') ~ '^[^@[:space:]]+@[^@[:space:]]+\.[^@[:space:]]+$' as "is_email_valid",
        sha256((select outer_pad from etl.pii_pad where is_active) || sha256(
            (select inner_pad from etl.pii_pad where is_active) ||  E'phone\\000'::bytea
            || convert_to('+' || nullif(regexp_replace("phone"::text, '[^0-9]', '', 'g'), ''), 'UTF8'))) as "phone_hmac",
        sha256((select outer_pad from etl.pii_pad where is_active) || sha256(
            (select inner_pad from etl.pii_pad where is_active) ||  E'click_id\\000'::bytea
            || convert_to(nullif(btrim("click_id"::text, E' \t\n\r\f\v'), ''), 'UTF8'))) as "click_id_hmac",
        (select kid from etl.pii_pad where is_active) as "pii_kid",
        (case when "company_name"::text collate "C" ~  E'[@+]|\\u002540|\\u00252[Bb]|(?:^|[^0-9])0[0-9]|[0-9][ .)-]' then regexp_replace(regexp_replace("company_name"::text collate "C",  E'(?:\\+|\\u00252[Bb])[ (]?[0-9](?:[ ./()-]{0,3}[0-9]){6,22}|(?<![0-9A-Za-z_.,-])\\(?0(?:[0-9]{2}(?:[ ./()-]{0,3}[0-9]){6,22}|[1-9](?:[ .-][0-9]{2}){4})(?!-?[0-9A-Za-z_])|(?<![0-9A-Za-z_.,-])(?:1[ .-])?(?:\\([2-9][0-9]{2}\\) ?|[2-9][0-9]{2}[ .-])[2-9][0-9]{2}[ .-][0-9]{4}(?!-?[0-9A-Za-z_])', '***', 'g'),  E'[^ \\t\\n\\r\\f\\v<>()\\[\\]{}",;:|/?&=#]+(?:@|\\u002540)[^ \\t\\n\\r\\f\\v<>()\\[\\]{}",;:|/?&=#]+[.][^ \\t\\n\\r\\f\\v<>()\\[\\]{}",;:|/?&=#]+', '***', 'g') else "company_name"::text end)::character varying(255) as "company_name",
        (case when "job_title"::text collate "C" ~  E'[@+]|\\u002540|\\u00252[Bb]|(?:^|[^0-9])0[0-9]|[0-9][ .)-]' then regexp_replace(regexp_replace("job_title"::text collate "C",  E'(?:\\+|\\u00252[Bb])[ (]?[0-9](?:[ ./()-]{0,3}[0-9]){6,22}|(?<![0-9A-Za-z_.,-])\\(?0(?:[0-9]{2}(?:[ ./()-]{0,3}[0-9]){6,22}|[1-9](?:[ .-][0-9]{2}){4})(?!-?[0-9A-Za-z_])|(?<![0-9A-Za-z_.,-])(?:1[ .-])?(?:\\([2-9][0-9]{2}\\) ?|[2-9][0-9]{2}[ .-])[2-9][0-9]{2}[ .-][0-9]{4}(?!-?[0-9A-Za-z_])', '***', 'g'),  E'[^ \\t\\n\\r\\f\\v<>()\\[\\]{}",;:|/?&=#]+(?:@|\\u002540)[^ \\t\\n\\r\\f\\v<>()\\[\\]{}",;:|/?&=#]+[.][^ \\t\\n\\r\\f\\v<>()\\[\\]{}",;:|/?&=#]+', '***', 'g') else "job_title"::text end)::character varying(150) as "job_title",
        "country_code" as "country_code", "score" as "score",
        (case when "lead_source"::text collate "C" ~  E'[@+]|\\u002540|\\u00252[Bb]|(?:^|[^0-9])0[0-9]|[0-9][ .)-]' then regexp_replace(regexp_replace("lead_source"::text collate "C",  E'(?:\\+|\\u00252[Bb])[ (]?[0-9](?:[ ./()-]{0,3}[0-9]){6,22}|(?<![0-9A-Za-z_.,-])\\(?0(?:[0-9]{2}(?:[ ./()-]{0,3}[0-9]){6,22}|[1-9](?:[ .-][0-9]{2}){4})(?!-?[0-9A-Za-z_])|(?<![0-9A-Za-z_.,-])(?:1[ .-])?(?:\\([2-9][0-9]{2}\\) ?|[2-9][0-9]{2}[ .-])[2-9][0-9]{2}[ .-][0-9]{4}(?!-?[0-9A-Za-z_])', '***', 'g'),  E'[^ \\t\\n\\r\\f\\v<>()\\[\\]{}",;:|/?&=#]+(?:@|\\u002540)[^ \\t\\n\\r\\f\\v<>()\\[\\]{}",;:|/?&=#]+[.][^ \\t\\n\\r\\f\\v<>()\\[\\]{}",;:|/?&=#]+', '***', 'g') else "lead_source"::text end)::character varying(40) as "lead_source",
        "campaign_id" as "campaign_id", "ad_id" as "ad_id",
        (case when "utm_source"::text collate "C" ~  E'[@+]|\\u002540|\\u00252[Bb]|(?:^|[^0-9])0[0-9]|[0-9][ .)-]' then regexp_replace(regexp_replace("utm_source"::text collate "C",  E'(?:\\+|\\u00252[Bb])[ (]?[0-9](?:[ ./()-]{0,3}[0-9]){6,22}|(?<![0-9A-Za-z_.,-])\\(?0(?:[0-9]{2}(?:[ ./()-]{0,3}[0-9]){6,22}|[1-9](?:[ .-][0-9]{2}){4})(?!-?[0-9A-Za-z_])|(?<![0-9A-Za-z_.,-])(?:1[ .-])?(?:\\([2-9][0-9]{2}\\) ?|[2-9][0-9]{2}[ .-])[2-9][0-9]{2}[ .-][0-9]{4}(?!-?[0-9A-Za-z_])', '***', 'g'),  E'[^ \\t\\n\\r\\f\\v<>()\\[\\]{}",;:|/?&=#]+(?:@|\\u002540)[^ \\t\\n\\r\\f\\v<>()\\[\\]{}",;:|/?&=#]+[.][^ \\t\\n\\r\\f\\v<>()\\[\\]{}",;:|/?&=#]+', '***', 'g') else "utm_source"::text end)::character varying(255) as "utm_source",
        (case when "utm_medium"::text collate "C" ~  E'[@+]|\\u002540|\\u00252[Bb]|(?:^|[^0-9])0[0-9]|[0-9][ .)-]' then regexp_replace(regexp_replace("utm_medium"::text collate "C",  E'(?:\\+|\\u00252[Bb])[ (]?[0-9](?:[ ./()-]{0,3}[0-9]){6,22}|(?<![0-9A-Za-z_.,-])\\(?0(?:[0-9]{2}(?:[ ./()-]{0,3}[0-9]){6,22}|[1-9](?:[ .-][0-9]{2}){4})(?!-?[0-9A-Za-z_])|(?<![0-9A-Za-z_.,-])(?:1[ .-])?(?:\\([2-9][0-9]{2}\\) ?|[2-9][0-9]{2}[ .-])[2-9][0-9]{2}[ .-][0-9]{4}(?!-?[0-9A-Za-z_])', '***', 'g'),  E'[^ \\t\\n\\r\\f\\v<>()\\[\\]{}",;:|/?&=#]+(?:@|\\u002540)[^ \\t\\n\\r\\f\\v<>()\\[\\]{}",;:|/?&=#]+[.][^ \\t\\n\\r\\f\\v<>()\\[\\]{}",;:|/?&=#]+', '***', 'g') else "utm_medium"::text end)::character varying(255) as "utm_medium",
        (case when "utm_campaign"::text collate "C" ~  E'[@+]|\\u002540|\\u00252[Bb]|(?:^|[^0-9])0[0-9]|[0-9][ .)-]' then regexp_replace(regexp_replace("utm_campaign"::text collate "C",  E'(?:\\+|\\u00252[Bb])[ (]?[0-9](?:[ ./()-]{0,3}[0-9]){6,22}|(?<![0-9A-Za-z_.,-])\\(?0(?:[0-9]{2}(?:[ ./()-]{0,3}[0-9]){6,22}|[1-9](?:[ .-][0-9]{2}){4})(?!-?[0-9A-Za-z_])|(?<![0-9A-Za-z_.,-])(?:1[ .-])?(?:\\([2-9][0-9]{2}\\) ?|[2-9][0-9]{2}[ .-])[2-9][0-9]{2}[ .-][0-9]{4}(?!-?[0-9A-Za-z_])', '***', 'g'),  E'[^ \\t\\n\\r\\f\\v<>()\\[\\]{}",;:|/?&=#]+(?:@|\\u002540)[^ \\t\\n\\r\\f\\v<>()\\[\\]{}",;:|/?&=#]+[.][^ \\t\\n\\r\\f\\v<>()\\[\\]{}",;:|/?&=#]+', '***', 'g') else "utm_campaign"::text end)::character varying(255) as "utm_campaign",
        (case when "utm_content"::text collate "C" ~  E'[@+]|\\u002540|\\u00252[Bb]|(?:^|[^0-9])0[0-9]|[0-9][ .)-]' then regexp_replace(regexp_replace("utm_content"::text collate "C",  E'(?:\\+|\\u00252[Bb])[ (]?[0-9](?:[ ./()-]{0,3}[0-9]){6,22}|(?<![0-9A-Za-z_.,-])\\(?0(?:[0-9]{2}(?:[ ./()-]{0,3}[0-9]){6,22}|[1-9](?:[ .-][0-9]{2}){4})(?!-?[0-9A-Za-z_])|(?<![0-9A-Za-z_.,-])(?:1[ .-])?(?:\\([2-9][0-9]{2}\\) ?|[2-9][0-9]{2}[ .-])[2-9][0-9]{2}[ .-][0-9]{4}(?!-?[0-9A-Za-z_])', '***', 'g'),  E'[^ \\t\\n\\r\\f\\v<>()\\[\\]{}",;:|/?&=#]+(?:@|\\u002540)[^ \\t\\n\\r\\f\\v<>()\\[\\]{}",;:|/?&=#]+[.][^ \\t\\n\\r\\f\\v<>()\\[\\]{}",;:|/?&=#]+', '***', 'g') else "utm_content"::text end)::character varying(255) as "utm_content",
        (case when "utm_term"::text collate "C" ~  E'[@+]|\\u002540|\\u00252[Bb]|(?:^|[^0-9])0[0-9]|[0-9][ .)-]' then regexp_replace(regexp_replace("utm_term"::text collate "C",  E'(?:\\+|\\u00252[Bb])[ (]?[0-9](?:[ ./()-]{0,3}[0-9]){6,22}|(?<![0-9A-Za-z_.,-])\\(?0(?:[0-9]{2}(?:[ ./()-]{0,3}[0-9]){6,22}|[1-9](?:[ .-][0-9]{2}){4})(?!-?[0-9A-Za-z_])|(?<![0-9A-Za-z_.,-])(?:1[ .-])?(?:\\([2-9][0-9]{2}\\) ?|[2-9][0-9]{2}[ .-])[2-9][0-9]{2}[ .-][0-9]{4}(?!-?[0-9A-Za-z_])', '***', 'g'),  E'[^ \\t\\n\\r\\f\\v<>()\\[\\]{}",;:|/?&=#]+(?:@|\\u002540)[^ \\t\\n\\r\\f\\v<>()\\[\\]{}",;:|/?&=#]+[.][^ \\t\\n\\r\\f\\v<>()\\[\\]{}",;:|/?&=#]+', '***', 'g') else "utm_term"::text end)::character varying(255) as "utm_term",
        "status" as "status", "qualified_at" as "qualified_at", "disqualified_at" as "disqualified_at",
        (case when "disqualified_reason"::text collate "C" ~  E'[@+]|\\u002540|\\u00252[Bb]|(?:^|[^0-9])0[0-9]|[0-9][ .)-]' then regexp_replace(regexp_replace("disqualified_reason"::text collate "C",  E'(?:\\+|\\u00252[Bb])[ (]?[0-9](?:[ ./()-]{0,3}[0-9]){6,22}|(?<![0-9A-Za-z_.,-])\\(?0(?:[0-9]{2}(?:[ ./()-]{0,3}[0-9]){6,22}|[1-9](?:[ .-][0-9]{2}){4})(?!-?[0-9A-Za-z_])|(?<![0-9A-Za-z_.,-])(?:1[ .-])?(?:\\([2-9][0-9]{2}\\) ?|[2-9][0-9]{2}[ .-])[2-9][0-9]{2}[ .-][0-9]{4}(?!-?[0-9A-Za-z_])', '***', 'g'),  E'[^ \\t\\n\\r\\f\\v<>()\\[\\]{}",;:|/?&=#]+(?:@|\\u002540)[^ \\t\\n\\r\\f\\v<>()\\[\\]{}",;:|/?&=#]+[.][^ \\t\\n\\r\\f\\v<>()\\[\\]{}",;:|/?&=#]+', '***', 'g') else "disqualified_reason"::text end)::character varying(100) as "disqualified_reason",
        "converted_at" as "converted_at", "converted_account_id" as "converted_account_id",
        "converted_contact_id" as "converted_contact_id",
        "converted_opportunity_id" as "converted_opportunity_id", "merged_into_id" as "merged_into_id",
        "created_at" as "created_at", "updated_at" as "updated_at", "deleted_at" as "deleted_at"
    from "crm"."leads";
alter view "etl"."leads" owner to etl_owner;
grant select on "etl"."leads" to etl_reader;

-- provision: the staging table
drop table if exists "staging"."promptcrm__leads";
create unlogged table "staging"."promptcrm__leads" (
        "lead_id" uuid, "owner_user_id" uuid, "email_hmac" bytea, "is_email_valid" boolean,
        "phone_hmac" bytea, "click_id_hmac" bytea, "pii_kid" integer, "company_name" character varying(255),
        "job_title" character varying(150), "country_code" character(2), "score" smallint,
        "lead_source" character varying(40), "campaign_id" uuid, "ad_id" uuid,
        "utm_source" character varying(255), "utm_medium" character varying(255),
        "utm_campaign" character varying(255), "utm_content" character varying(255),
        "utm_term" character varying(255), "status" character varying(20),
        "qualified_at" timestamp with time zone, "disqualified_at" timestamp with time zone,
        "disqualified_reason" character varying(100), "converted_at" timestamp with time zone,
        "converted_account_id" uuid, "converted_contact_id" uuid, "converted_opportunity_id" uuid,
        "merged_into_id" uuid, "created_at" timestamp with time zone, "updated_at" timestamp with time zone,
        "deleted_at" timestamp with time zone, "_load_id" bigint not null,
        "_row" bigint not null generated always as identity, "_rules" text[], "_misfits" text[]
);
comment on table "staging"."promptcrm__leads" is 'Rows of crm.leads on their way into core.leads; emptied by each load.';

-- extract: a first load
copy (
    select "lead_id", "owner_user_id", "email_hmac", "is_email_valid", "phone_hmac", "click_id_hmac", "pii_kid",
        "company_name", "job_title", "country_code", "score", "lead_source", "campaign_id", "ad_id",
        "utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term", "status", "qualified_at",
        "disqualified_at", "disqualified_reason", "converted_at", "converted_account_id",
        "converted_contact_id", "converted_opportunity_id", "merged_into_id", "created_at", "updated_at",
        "deleted_at", 42::bigint
    from "etl"."leads"
    where true
) to stdout (format binary); -- noqa

-- extract: a delta
copy (
    select "lead_id", "owner_user_id", "email_hmac", "is_email_valid", "phone_hmac", "click_id_hmac", "pii_kid",
        "company_name", "job_title", "country_code", "score", "lead_source", "campaign_id", "ad_id",
        "utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term", "status", "qualified_at",
        "disqualified_at", "disqualified_reason", "converted_at", "converted_account_id",
        "converted_contact_id", "converted_opportunity_id", "merged_into_id", "created_at", "updated_at",
        "deleted_at", 42::bigint
    from "etl"."leads"
    where "updated_at" >= '2026-01-02 03:04:05+00:00'::timestamptz
) to stdout (format binary); -- noqa

-- extract: a delta with the quarantined keys that are due
copy (
    select "lead_id", "owner_user_id", "email_hmac", "is_email_valid", "phone_hmac", "click_id_hmac", "pii_kid",
        "company_name", "job_title", "country_code", "score", "lead_source", "campaign_id", "ad_id",
        "utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term", "status", "qualified_at",
        "disqualified_at", "disqualified_reason", "converted_at", "converted_account_id",
        "converted_contact_id", "converted_opportunity_id", "merged_into_id", "created_at", "updated_at",
        "deleted_at", 42::bigint
    from "etl"."leads"
    where ("updated_at" >= '2026-01-02 03:04:05+00:00'::timestamptz or "lead_id" = any('{"a key","another key"}'::uuid[]))
) to stdout (format binary); -- noqa

-- extract: a window
copy (
    select "lead_id", "owner_user_id", "email_hmac", "is_email_valid", "phone_hmac", "click_id_hmac", "pii_kid",
        "company_name", "job_title", "country_code", "score", "lead_source", "campaign_id", "ad_id",
        "utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term", "status", "qualified_at",
        "disqualified_at", "disqualified_reason", "converted_at", "converted_account_id",
        "converted_contact_id", "converted_opportunity_id", "merged_into_id", "created_at", "updated_at",
        "deleted_at", 42::bigint
    from "etl"."leads"
    where "updated_at" >= '2026-01-01 00:00:00+00:00'::timestamptz and "updated_at" < '2026-02-01 00:00:00+00:00'::timestamptz
) to stdout (format binary); -- noqa

-- stage: empty the staging table
truncate "staging"."promptcrm__leads";

-- stage: copy rows into staging
copy "staging"."promptcrm__leads" ("lead_id", "owner_user_id", "email_hmac", "is_email_valid", "phone_hmac", "click_id_hmac", "pii_kid",
                "company_name", "job_title", "country_code", "score", "lead_source", "campaign_id", "ad_id",
                "utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term", "status", "qualified_at",
                "disqualified_at", "disqualified_reason", "converted_at", "converted_account_id",
                "converted_contact_id", "converted_opportunity_id", "merged_into_id", "created_at", "updated_at",
                "deleted_at", _load_id) from stdin (format binary); -- noqa

-- suppress: find rows of erased persons that core still has
select x.key, x.person_hmac, x.pii_kid, x.row_changed_at
from ops.suppression x join "staging"."promptcrm__leads" s on x.key = s."lead_id"::text
where x.feed = %(feed)s and exists (select from "core"."leads" c where c."lead_id" = s."lead_id");

-- suppress: learn an erased person's hash under a new key
update ops.suppression x set person_hmac = s."email_hmac", pii_kid = s.pii_kid
from "staging"."promptcrm__leads" s
where x.feed = %(feed)s and x.key = s."lead_id"::text and x.pii_kid < s.pii_kid and s."email_hmac" is not null
  and x.row_changed_at = s."updated_at";

-- suppress: find rows with an erased person's hash under another id
select s."lead_id"::text, s."email_hmac", s.pii_kid, s."updated_at"
from "staging"."promptcrm__leads" s
where s."email_hmac" in (select x.person_hmac from ops.suppression x where x.person_hmac is not null)
  and not exists (select from ops.suppression x where x.feed = %(feed)s and x.key = s."lead_id"::text);

-- suppress: drop rows of erased persons
delete from "staging"."promptcrm__leads" s using ops.suppression x where x.feed = %(feed)s and x.key = s."lead_id"::text;

-- suppress: replace references to erased persons
update "staging"."promptcrm__leads"
set "owner_user_id" = case when "owner_user_id"::text in (select key from ops.suppression where length(key) >= 16)
            then '00000000-0000-0000-0000-000000000000' else "owner_user_id" end,
        "campaign_id" = case when "campaign_id"::text in (select key from ops.suppression where length(key) >= 16)
            then '00000000-0000-0000-0000-000000000000' else "campaign_id" end,
        "ad_id" = case when "ad_id"::text in (select key from ops.suppression where length(key) >= 16)
            then '00000000-0000-0000-0000-000000000000' else "ad_id" end,
        "converted_account_id" = case when "converted_account_id"::text in (select key from ops.suppression where length(key) >= 16)
            then '00000000-0000-0000-0000-000000000000' else "converted_account_id" end,
        "converted_contact_id" = case when "converted_contact_id"::text in (select key from ops.suppression where length(key) >= 16)
            then '00000000-0000-0000-0000-000000000000' else "converted_contact_id" end,
        "converted_opportunity_id" = case when "converted_opportunity_id"::text in (select key from ops.suppression where length(key) >= 16)
            then '00000000-0000-0000-0000-000000000000' else "converted_opportunity_id" end,
        "merged_into_id" = case when "merged_into_id"::text in (select key from ops.suppression where length(key) >= 16)
            then '00000000-0000-0000-0000-000000000000' else "merged_into_id" end
where "owner_user_id"::text in (select key from ops.suppression where length(key) >= 16) or
        "campaign_id"::text in (select key from ops.suppression where length(key) >= 16) or
        "ad_id"::text in (select key from ops.suppression where length(key) >= 16) or
        "converted_account_id"::text in (select key from ops.suppression where length(key) >= 16) or
        "converted_contact_id"::text in (select key from ops.suppression where length(key) >= 16) or
        "converted_opportunity_id"::text in (select key from ops.suppression where length(key) >= 16) or
        "merged_into_id"::text in (select key from ops.suppression where length(key) >= 16);

-- stage: drop rows that are in quarantine unchanged
delete from "staging"."promptcrm__leads" s using ops.quarantine q
where q.feed = %(feed)s
  and q.key = coalesce(s."lead_id"::text, 'without key ' || md5((to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end)::text))
  and q.released_at is null and not q.is_waived
  and q.suite_checksum = %(suite_checksum)s and q.last_tried_at >= %(read_at)s - interval '1 day'
  and q.payload = to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end;

-- stage: analyze
analyze "staging"."promptcrm__leads" ("lead_id", "updated_at");

-- stage: drop rows that equal core
delete from "staging"."promptcrm__leads" s using "core"."leads" c
where s."updated_at" <= %(seen_through)s and s._misfits is null
  and c."lead_id" = s."lead_id"
  and row("s"."lead_id", "s"."owner_user_id", "s"."email_hmac", "s"."is_email_valid", "s"."phone_hmac",
        "s"."click_id_hmac", "s"."pii_kid", "s"."company_name", "s"."job_title", "s"."country_code",
        "s"."score", "s"."lead_source", "s"."campaign_id", "s"."ad_id", "s"."utm_source", "s"."utm_medium",
        "s"."utm_campaign", "s"."utm_content", "s"."utm_term", "s"."status", "s"."qualified_at",
        "s"."disqualified_at", "s"."disqualified_reason", "s"."converted_at", "s"."converted_account_id",
        "s"."converted_contact_id", "s"."converted_opportunity_id", "s"."merged_into_id", "s"."created_at",
        "s"."updated_at", "s"."deleted_at")
      is not distinct from row("c"."lead_id", "c"."owner_user_id", "c"."email_hmac", "c"."is_email_valid", "c"."phone_hmac",
        "c"."click_id_hmac", "c"."pii_kid", "c"."company_name", "c"."job_title", "c"."country_code",
        "c"."score", "c"."lead_source", "c"."campaign_id", "c"."ad_id", "c"."utm_source", "c"."utm_medium",
        "c"."utm_campaign", "c"."utm_content", "c"."utm_term", "c"."status", "c"."qualified_at",
        "c"."disqualified_at", "c"."disqualified_reason", "c"."converted_at", "c"."converted_account_id",
        "c"."converted_contact_id", "c"."converted_opportunity_id", "c"."merged_into_id", "c"."created_at",
        "c"."updated_at", "c"."deleted_at")
  and not exists (
      select from ops.quarantine q where q.feed = %(feed)s and q.key = s."lead_id"::text and q.released_at is null
  );

-- check: count the staged rows
select count(*) from "staging"."promptcrm__leads" where _load_id = %(extraction)s;

-- check: clear earlier verdicts
update "staging"."promptcrm__leads" set _rules = _misfits where _rules is distinct from _misfits;

-- check: mark rows by number
update "staging"."promptcrm__leads" set _rules = array_append(_rules, %(rule)s) where _row = any(%(rows)s);

-- check: let rows pass that were released by hand
update "staging"."promptcrm__leads" s set _rules = null from ops.quarantine q
where s._rules is not null and q.feed = %(feed)s and q.key = s."lead_id"::text
  and q.is_waived
  and (q.payload = to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end
       -- hashed with another key since, but the same version: the cursor is part of it
       or q.payload -> 'pii_kid' <> to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end -> 'pii_kid'
          and q.payload - '{email_hmac,phone_hmac,click_id_hmac,pii_kid}'::text[] = to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end - '{email_hmac,phone_hmac,click_id_hmac,pii_kid}'::text[]);

-- check: count the marked rows
select count(*) from "staging"."promptcrm__leads" where _rules is not null;

-- publish: release rows from quarantine
update ops.quarantine q
set released_at = clock_timestamp(), release_reason = case when false then 'deleted' when q.is_waived then 'waived' else 'repaired' end
from "staging"."promptcrm__leads" s
where s._rules is null and q.feed = %(feed)s and q.key = s."lead_id"::text and q.released_at is null;

-- publish: move marked rows to quarantine
insert into ops.quarantine as q (feed, key, extraction, rules, suite_checksum, payload, is_core_stale)
select distinct on (coalesce(s."lead_id"::text, 'without key ' || md5((to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end)::text)))
       %(feed)s,
       coalesce(s."lead_id"::text, 'without key ' || md5((to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end)::text)),
       %(extraction)s, s._rules, %(suite_checksum)s,
       to_jsonb(s.*) - '{_load_id,_row,_rules}'::text[] - case when s._misfits is null then '_misfits' else '' end,
       exists (select from "core"."leads" c where c."lead_id" = s."lead_id")
from "staging"."promptcrm__leads" s where s._rules is not null
on conflict (feed, key) where released_at is null do update
set extraction = excluded.extraction, rules = excluded.rules, suite_checksum = excluded.suite_checksum,
    payload = excluded.payload, is_core_stale = excluded.is_core_stale, is_waived = false,
    last_tried_at = clock_timestamp(), tries = q.tries + 1;

-- publish: a first load of core.leads
select ops.insert_first_rows('leads', 'promptcrm__leads', %(extraction)s);

-- publish: note the days of a first load
with merged as (
    select array['*'] as "_new_entities",
        array[("new"."created_at" at time zone 'UTC')::date] as "_new_days"
    from "staging"."promptcrm__leads" as new where _rules is null
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

-- publish: upsert into core.leads
with merged as (
    insert into "core"."leads" as c ("lead_id", "owner_user_id", "email_hmac", "is_email_valid", "phone_hmac", "click_id_hmac", "pii_kid",
        "company_name", "job_title", "country_code", "score", "lead_source", "campaign_id", "ad_id",
        "utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term", "status", "qualified_at",
        "disqualified_at", "disqualified_reason", "converted_at", "converted_account_id",
        "converted_contact_id", "converted_opportunity_id", "merged_into_id", "created_at", "updated_at",
        "deleted_at",
        _extraction, _loaded_at)
    select "lead_id", "owner_user_id", "email_hmac", "is_email_valid", "phone_hmac", "click_id_hmac", "pii_kid",
        "company_name", "job_title", "country_code", "score", "lead_source", "campaign_id", "ad_id",
        "utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term", "status", "qualified_at",
        "disqualified_at", "disqualified_reason", "converted_at", "converted_account_id",
        "converted_contact_id", "converted_opportunity_id", "merged_into_id", "created_at", "updated_at",
        "deleted_at",
        %(extraction)s, clock_timestamp()
    from "staging"."promptcrm__leads" where _rules is null order by "lead_id"
    on conflict ("lead_id") do update
    set "owner_user_id" = excluded."owner_user_id", "email_hmac" = excluded."email_hmac",
        "is_email_valid" = excluded."is_email_valid", "phone_hmac" = excluded."phone_hmac",
        "click_id_hmac" = excluded."click_id_hmac", "pii_kid" = excluded."pii_kid",
        "company_name" = excluded."company_name", "job_title" = excluded."job_title",
        "country_code" = excluded."country_code", "score" = excluded."score",
        "lead_source" = excluded."lead_source", "campaign_id" = excluded."campaign_id",
        "ad_id" = excluded."ad_id", "utm_source" = excluded."utm_source",
        "utm_medium" = excluded."utm_medium", "utm_campaign" = excluded."utm_campaign",
        "utm_content" = excluded."utm_content", "utm_term" = excluded."utm_term",
        "status" = excluded."status", "qualified_at" = excluded."qualified_at",
        "disqualified_at" = excluded."disqualified_at",
        "disqualified_reason" = excluded."disqualified_reason", "converted_at" = excluded."converted_at",
        "converted_account_id" = excluded."converted_account_id",
        "converted_contact_id" = excluded."converted_contact_id",
        "converted_opportunity_id" = excluded."converted_opportunity_id",
        "merged_into_id" = excluded."merged_into_id", "created_at" = excluded."created_at",
        "updated_at" = excluded."updated_at", "deleted_at" = excluded."deleted_at",
        _extraction = excluded._extraction, _loaded_at = excluded._loaded_at
    where c._extraction < excluded._extraction
      and row("c"."lead_id", "c"."owner_user_id", "c"."email_hmac", "c"."is_email_valid", "c"."phone_hmac",
        "c"."click_id_hmac", "c"."pii_kid", "c"."company_name", "c"."job_title", "c"."country_code",
        "c"."score", "c"."lead_source", "c"."campaign_id", "c"."ad_id", "c"."utm_source", "c"."utm_medium",
        "c"."utm_campaign", "c"."utm_content", "c"."utm_term", "c"."status", "c"."qualified_at",
        "c"."disqualified_at", "c"."disqualified_reason", "c"."converted_at", "c"."converted_account_id",
        "c"."converted_contact_id", "c"."converted_opportunity_id", "c"."merged_into_id", "c"."created_at",
        "c"."updated_at", "c"."deleted_at")
          is distinct from row("excluded"."lead_id", "excluded"."owner_user_id", "excluded"."email_hmac",
        "excluded"."is_email_valid", "excluded"."phone_hmac", "excluded"."click_id_hmac",
        "excluded"."pii_kid", "excluded"."company_name", "excluded"."job_title", "excluded"."country_code",
        "excluded"."score", "excluded"."lead_source", "excluded"."campaign_id", "excluded"."ad_id",
        "excluded"."utm_source", "excluded"."utm_medium", "excluded"."utm_campaign",
        "excluded"."utm_content", "excluded"."utm_term", "excluded"."status", "excluded"."qualified_at",
        "excluded"."disqualified_at", "excluded"."disqualified_reason", "excluded"."converted_at",
        "excluded"."converted_account_id", "excluded"."converted_contact_id",
        "excluded"."converted_opportunity_id", "excluded"."merged_into_id", "excluded"."created_at",
        "excluded"."updated_at", "excluded"."deleted_at")
    returning old."lead_id" is null as _is_new, new."lead_id",
        new."updated_at" as _changed_at, "new"."status", "new"."campaign_id",
        row("old"."status", "old"."campaign_id") is distinct from row("new"."status", "new"."campaign_id") as _is_new_version,
        array['*'] as "_old_entities",
        array[("old"."created_at" at time zone 'UTC')::date] as "_old_days",
        array['*'] as "_new_entities",
        array[("new"."created_at" at time zone 'UTC')::date] as "_new_days"
), ended as (
    insert into "core"."leads_history" as h ("lead_id", "status", "campaign_id", valid_from, valid_to)
    select "lead_id", "status", "campaign_id", case when _is_new then '-infinity' else _changed_at end, 'infinity'
    from merged where _is_new or _is_new_version
    on conflict ("lead_id") where valid_to = 'infinity' do update
    set valid_to = coalesce(
        nullif(
            greatest(nullif(excluded.valid_from, '-infinity'), h.valid_from + interval '1 microsecond'),
            '-infinity'
        ),
        clock_timestamp()
    )
    where row("h"."status", "h"."campaign_id") is distinct from row("excluded"."status", "excluded"."campaign_id")
    returning old."lead_id" is not null as _is_ended, new."lead_id", new.valid_to as _valid_to
), begun as (
    insert into "core"."leads_history" ("lead_id", "status", "campaign_id", valid_from, valid_to)
    select "lead_id", "status", "campaign_id", _valid_to, 'infinity'
    from ended join merged using ("lead_id") where _is_ended
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
select distinct on (old_hmac) %(feed)s, 'email_hmac', old_hmac, %(old_kid)s::integer, new_hmac, %(kid)s::integer,
       clock_timestamp() + make_interval(days => r.bridge_days)
from (
select c."email_hmac" as old_hmac, s."email_hmac" as new_hmac
from "core"."leads" c join "staging"."promptcrm__leads" s using ("lead_id")
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
from ops.quarantine q join "staging"."promptcrm__leads" s on q.key = s."lead_id"::text
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
from "core"."leads" c join "staging"."promptcrm__leads" s using ("lead_id")
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
from ops.quarantine q join "staging"."promptcrm__leads" s on q.key = s."lead_id"::text
where q.feed = %(feed)s and (q.payload ->> 'pii_kid')::integer = %(old_kid)s
  and (q.payload ->> 'updated_at')::timestamptz = s."updated_at"
) p join ops.pii_rotation r on r.kid = %(kid)s
where old_hmac is not null and new_hmac is not null and r.bridge_days > 0
on conflict do nothing;

-- rotate: bridge old and new hashes (5)
insert into ops.pii_bridge (feed, column_name, old_hmac, old_kid, new_hmac, new_kid, expires_at)
select distinct on (old_hmac) %(feed)s, 'click_id_hmac', old_hmac, %(old_kid)s::integer, new_hmac, %(kid)s::integer,
       clock_timestamp() + make_interval(days => r.bridge_days)
from (
select c."click_id_hmac" as old_hmac, s."click_id_hmac" as new_hmac
from "core"."leads" c join "staging"."promptcrm__leads" s using ("lead_id")
where c.pii_kid = %(old_kid)s and s.pii_kid = %(kid)s and c."updated_at" = s."updated_at"
) p join ops.pii_rotation r on r.kid = %(kid)s
where old_hmac is not null and new_hmac is not null and r.bridge_days > 0
on conflict do nothing;

-- rotate: bridge old and new hashes (6)
insert into ops.pii_bridge (feed, column_name, old_hmac, old_kid, new_hmac, new_kid, expires_at)
select distinct on (old_hmac) %(feed)s, 'click_id_hmac', old_hmac, %(old_kid)s::integer, new_hmac, %(kid)s::integer,
       clock_timestamp() + make_interval(days => r.bridge_days)
from (
select decode(substr(q.payload ->> 'click_id_hmac', 3), 'hex') as old_hmac, s."click_id_hmac" as new_hmac
from ops.quarantine q join "staging"."promptcrm__leads" s on q.key = s."lead_id"::text
where q.feed = %(feed)s and (q.payload ->> 'pii_kid')::integer = %(old_kid)s
  and (q.payload ->> 'updated_at')::timestamptz = s."updated_at"
) p join ops.pii_rotation r on r.kid = %(kid)s
where old_hmac is not null and new_hmac is not null and r.bridge_days > 0
on conflict do nothing;

-- rotate: remove hashes of the old key (1)
update "core"."leads" c
set "email_hmac" = coalesce(s."email_hmac", null::bytea),
        "phone_hmac" = coalesce(s."phone_hmac", null::bytea),
        "click_id_hmac" = coalesce(s."click_id_hmac", null::bytea), pii_kid = %(kid)s, _extraction = %(extraction)s
from "staging"."promptcrm__leads" s
where s."lead_id" = c."lead_id" and c.pii_kid <> %(kid)s and s.pii_kid = %(kid)s;

-- rotate: remove hashes of the old key (2)
update "core"."leads" c
set "email_hmac" = null::bytea, "phone_hmac" = null::bytea, "click_id_hmac" = null::bytea,
        pii_kid = %(kid)s
where c.pii_kid <> %(kid)s;

-- rotate: remove hashes of the old key (3)
update ops.quarantine
set payload = payload - '{email_hmac,phone_hmac,click_id_hmac}'::text[] || jsonb_build_object('pii_kid', %(kid)s::integer)
where feed = %(feed)s and (payload ->> 'pii_kid')::integer <> %(kid)s;

-- reconcile: which of some keys the source has
select "lead_id"::text from "etl"."leads" where "lead_id" = any(%(keys)s::uuid[]);

-- reconcile: digests by bucket of the source
select ('x' || left(encode(sha256(convert_to("lead_id"::text, 'UTF8')), 'hex'), 3))::bit(12)::int as bucket, count(*), sum(('x' || left(encode(sha256(convert_to(row("lead_id", "owner_user_id", "email_hmac", "is_email_valid", "phone_hmac", "click_id_hmac", "pii_kid",
        "company_name", "job_title", "country_code", "score", "lead_source", "campaign_id", "ad_id",
        "utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term", "status", "qualified_at",
        "disqualified_at", "disqualified_reason", "converted_at", "converted_account_id",
        "converted_contact_id", "converted_opportunity_id", "merged_into_id", "created_at", "updated_at",
        "deleted_at")::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint)
from (
    select "lead_id",
        case when "owner_user_id"::text = any(%(erased)s) then '00000000-0000-0000-0000-000000000000' else "owner_user_id" end as "owner_user_id",
        "email_hmac", "is_email_valid", "phone_hmac", "click_id_hmac", "pii_kid", "company_name",
        "job_title", "country_code", "score", "lead_source",
        case when "campaign_id"::text = any(%(erased)s) then '00000000-0000-0000-0000-000000000000' else "campaign_id" end as "campaign_id",
        case when "ad_id"::text = any(%(erased)s) then '00000000-0000-0000-0000-000000000000' else "ad_id" end as "ad_id",
        "utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term", "status", "qualified_at",
        "disqualified_at", "disqualified_reason", "converted_at",
        case when "converted_account_id"::text = any(%(erased)s) then '00000000-0000-0000-0000-000000000000' else "converted_account_id" end as "converted_account_id",
        case when "converted_contact_id"::text = any(%(erased)s) then '00000000-0000-0000-0000-000000000000' else "converted_contact_id" end as "converted_contact_id",
        case when "converted_opportunity_id"::text = any(%(erased)s) then '00000000-0000-0000-0000-000000000000' else "converted_opportunity_id" end as "converted_opportunity_id",
        case when "merged_into_id"::text = any(%(erased)s) then '00000000-0000-0000-0000-000000000000' else "merged_into_id" end as "merged_into_id",
        "created_at", "updated_at", "deleted_at"
    from "etl"."leads"
    where "lead_id"::text <> all(%(suppressed)s)
) x where "lead_id" is not null and "lead_id"::text <> all(%(pending)s) group by 1;

-- reconcile: digests by key of the source
select "lead_id"::text collate "C" as key, ('x' || left(encode(sha256(convert_to(row("lead_id", "owner_user_id", "email_hmac", "is_email_valid", "phone_hmac", "click_id_hmac", "pii_kid",
        "company_name", "job_title", "country_code", "score", "lead_source", "campaign_id", "ad_id",
        "utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term", "status", "qualified_at",
        "disqualified_at", "disqualified_reason", "converted_at", "converted_account_id",
        "converted_contact_id", "converted_opportunity_id", "merged_into_id", "created_at", "updated_at",
        "deleted_at")::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint as digest, "updated_at" as changed_at
from (
    select "lead_id",
        case when "owner_user_id"::text = any(%(erased)s) then '00000000-0000-0000-0000-000000000000' else "owner_user_id" end as "owner_user_id",
        "email_hmac", "is_email_valid", "phone_hmac", "click_id_hmac", "pii_kid", "company_name",
        "job_title", "country_code", "score", "lead_source",
        case when "campaign_id"::text = any(%(erased)s) then '00000000-0000-0000-0000-000000000000' else "campaign_id" end as "campaign_id",
        case when "ad_id"::text = any(%(erased)s) then '00000000-0000-0000-0000-000000000000' else "ad_id" end as "ad_id",
        "utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term", "status", "qualified_at",
        "disqualified_at", "disqualified_reason", "converted_at",
        case when "converted_account_id"::text = any(%(erased)s) then '00000000-0000-0000-0000-000000000000' else "converted_account_id" end as "converted_account_id",
        case when "converted_contact_id"::text = any(%(erased)s) then '00000000-0000-0000-0000-000000000000' else "converted_contact_id" end as "converted_contact_id",
        case when "converted_opportunity_id"::text = any(%(erased)s) then '00000000-0000-0000-0000-000000000000' else "converted_opportunity_id" end as "converted_opportunity_id",
        case when "merged_into_id"::text = any(%(erased)s) then '00000000-0000-0000-0000-000000000000' else "merged_into_id" end as "merged_into_id",
        "created_at", "updated_at", "deleted_at"
    from "etl"."leads"
    where "lead_id"::text <> all(%(suppressed)s)
) x
where "lead_id" is not null and "lead_id"::text <> all(%(pending)s) and ('x' || left(encode(sha256(convert_to("lead_id"::text, 'UTF8')), 'hex'), 3))::bit(12)::int = any(%(buckets)s) order by 1;

-- reconcile: digests by bucket of the warehouse
select ('x' || left(encode(sha256(convert_to("lead_id"::text, 'UTF8')), 'hex'), 3))::bit(12)::int as bucket, count(*), sum(('x' || left(encode(sha256(convert_to(row("lead_id", "owner_user_id", "email_hmac", "is_email_valid", "phone_hmac", "click_id_hmac", "pii_kid",
        "company_name", "job_title", "country_code", "score", "lead_source", "campaign_id", "ad_id",
        "utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term", "status", "qualified_at",
        "disqualified_at", "disqualified_reason", "converted_at", "converted_account_id",
        "converted_contact_id", "converted_opportunity_id", "merged_into_id", "created_at", "updated_at",
        "deleted_at")::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint)
from (
select "lead_id", "owner_user_id", "email_hmac", "is_email_valid", "phone_hmac", "click_id_hmac", "pii_kid",
        "company_name", "job_title", "country_code", "score", "lead_source", "campaign_id", "ad_id",
        "utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term", "status", "qualified_at",
        "disqualified_at", "disqualified_reason", "converted_at", "converted_account_id",
        "converted_contact_id", "converted_opportunity_id", "merged_into_id", "created_at", "updated_at",
        "deleted_at" from "core"."leads" c
where not exists (
    select from ops.quarantine q where q.feed = %(feed)s and q.key = c."lead_id"::text and q.released_at is null
) and not exists (
    select from ops.load l where l.feed = %(feed)s and l.extraction = c._extraction and l.mode = 'reconcile'
)
union all
select "r"."lead_id", "r"."owner_user_id", "r"."email_hmac", "r"."is_email_valid", "r"."phone_hmac",
        "r"."click_id_hmac", "r"."pii_kid", "r"."company_name", "r"."job_title", "r"."country_code",
        "r"."score", "r"."lead_source", "r"."campaign_id", "r"."ad_id", "r"."utm_source", "r"."utm_medium",
        "r"."utm_campaign", "r"."utm_content", "r"."utm_term", "r"."status", "r"."qualified_at",
        "r"."disqualified_at", "r"."disqualified_reason", "r"."converted_at", "r"."converted_account_id",
        "r"."converted_contact_id", "r"."converted_opportunity_id", "r"."merged_into_id", "r"."created_at",
        "r"."updated_at", "r"."deleted_at" from ops.quarantine q, jsonb_populate_record(null::"staging"."promptcrm__leads", q.payload) r
where q.feed = %(feed)s and q.released_at is null
) x where "lead_id" is not null and "lead_id"::text <> all(%(pending)s) group by 1;

-- reconcile: digests by key of the warehouse
select "lead_id"::text collate "C" as key, ('x' || left(encode(sha256(convert_to(row("lead_id", "owner_user_id", "email_hmac", "is_email_valid", "phone_hmac", "click_id_hmac", "pii_kid",
        "company_name", "job_title", "country_code", "score", "lead_source", "campaign_id", "ad_id",
        "utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term", "status", "qualified_at",
        "disqualified_at", "disqualified_reason", "converted_at", "converted_account_id",
        "converted_contact_id", "converted_opportunity_id", "merged_into_id", "created_at", "updated_at",
        "deleted_at")::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint as digest, "updated_at" as changed_at
from (
select "lead_id", "owner_user_id", "email_hmac", "is_email_valid", "phone_hmac", "click_id_hmac", "pii_kid",
        "company_name", "job_title", "country_code", "score", "lead_source", "campaign_id", "ad_id",
        "utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term", "status", "qualified_at",
        "disqualified_at", "disqualified_reason", "converted_at", "converted_account_id",
        "converted_contact_id", "converted_opportunity_id", "merged_into_id", "created_at", "updated_at",
        "deleted_at" from "core"."leads" c
where not exists (
    select from ops.quarantine q where q.feed = %(feed)s and q.key = c."lead_id"::text and q.released_at is null
) and not exists (
    select from ops.load l where l.feed = %(feed)s and l.extraction = c._extraction and l.mode = 'reconcile'
)
union all
select "r"."lead_id", "r"."owner_user_id", "r"."email_hmac", "r"."is_email_valid", "r"."phone_hmac",
        "r"."click_id_hmac", "r"."pii_kid", "r"."company_name", "r"."job_title", "r"."country_code",
        "r"."score", "r"."lead_source", "r"."campaign_id", "r"."ad_id", "r"."utm_source", "r"."utm_medium",
        "r"."utm_campaign", "r"."utm_content", "r"."utm_term", "r"."status", "r"."qualified_at",
        "r"."disqualified_at", "r"."disqualified_reason", "r"."converted_at", "r"."converted_account_id",
        "r"."converted_contact_id", "r"."converted_opportunity_id", "r"."merged_into_id", "r"."created_at",
        "r"."updated_at", "r"."deleted_at" from ops.quarantine q, jsonb_populate_record(null::"staging"."promptcrm__leads", q.payload) r
where q.feed = %(feed)s and q.released_at is null
) x
where "lead_id" is not null and "lead_id"::text <> all(%(pending)s) and ('x' || left(encode(sha256(convert_to("lead_id"::text, 'UTF8')), 'hex'), 3))::bit(12)::int = any(%(buckets)s) order by 1;

-- reconcile: soft-delete rows that the source no longer has
with merged as (
    update "core"."leads" c
    set deleted_at = coalesce(c.deleted_at, %(read_at)s), _extraction = %(extraction)s,
        _loaded_at = clock_timestamp()
    where c."lead_id" = any(%(keys)s::uuid[])
    returning true as _is_gone,
        array['*'] as "_old_entities",
        array[("old"."created_at" at time zone 'UTC')::date] as "_old_days",
        array['*'] as "_new_entities",
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
select %(feed)s as feed, "lead_id"::text as key, 'core' as place, "email_hmac" as email_hmac, "pii_kid" as pii_kid,
       "updated_at" as row_changed_at, array_remove(array["email_hmac", "phone_hmac", "click_id_hmac"]::bytea[], null) as hashes,
       array_remove(array[case when "email_hmac" is not null then 'email_hmac' end,
        case when "phone_hmac" is not null then 'phone_hmac' end,
        case when "click_id_hmac" is not null then 'click_id_hmac' end]::text[], null) as kinds
from "core"."leads"
where true and ("lead_id"::text = %(key)s or array["email_hmac", "phone_hmac", "click_id_hmac"]::bytea[] && %(hashes)s::bytea[]);

-- erase: find a person's rows in quarantine
select %(feed)s as feed, key as key, 'quarantine' as place, decode(substr(payload ->> 'email_hmac', 3), 'hex') as email_hmac, (payload ->> 'pii_kid')::integer as pii_kid,
       (payload ->> 'updated_at')::timestamptz as row_changed_at, array_remove(array[decode(substr(payload ->> 'email_hmac', 3), 'hex'), decode(substr(payload ->> 'phone_hmac', 3), 'hex'), decode(substr(payload ->> 'click_id_hmac', 3), 'hex')]::bytea[], null) as hashes,
       array_remove(array[case when decode(substr(payload ->> 'email_hmac', 3), 'hex') is not null then 'email_hmac' end,
        case when decode(substr(payload ->> 'phone_hmac', 3), 'hex') is not null then 'phone_hmac' end,
        case when decode(substr(payload ->> 'click_id_hmac', 3), 'hex') is not null then 'click_id_hmac' end]::text[], null) as kinds
from ops.quarantine
where feed = %(feed)s and (key = %(key)s or array[decode(substr(payload ->> 'email_hmac', 3), 'hex'), decode(substr(payload ->> 'phone_hmac', 3), 'hex'), decode(substr(payload ->> 'click_id_hmac', 3), 'hex')]::bytea[] && %(hashes)s::bytea[]);

-- erase: touch the days of rows that name a person
insert into ops.touched (core_table, entity_id, day)
            select distinct %(feed)s, e.entity, (d.moment at time zone 'UTC')::date
    from "core"."leads" t cross join unnest(array['*']) e(entity) cross join unnest(array["t"."created_at"]) d(moment)
    where (exists (select from unnest(%(needles)s::text[]) needle where position(needle in lower((t.*)::text)) > 0) or "lead_id" in (select "lead_id" from "core"."leads_history" t where exists (select from unnest(%(needles)s::text[]) needle where position(needle in lower((t.*)::text)) > 0))) and d.moment is not null and e.entity is not null
            on conflict (core_table, entity_id, day) do update set touched_at = clock_timestamp();
