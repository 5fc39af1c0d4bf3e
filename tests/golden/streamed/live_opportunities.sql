-- Written by `python -m tests.golden` from warehouse/realtime/live_opportunities; do not edit.
-- The statements are as psycopg gets them: %(name)s and %s stand for parameters, %% for a percent sign.

-- provision: its part of the publication, which has other tables too
alter publication "promptcrm" set table "crm"."opportunities" ("id", "campaign_id", "source_lead_id", "stage_id", "amount", "currency_code", "merged_into_id",
                "created_at", "closed_at", "updated_at", "deleted_at");

-- provision: what Debezium's role may read
grant usage on schema "crm" to "cdc", "etl_audit";
revoke select on "crm"."opportunities" from "cdc", "etl_audit";
grant select ("id", "campaign_id", "source_lead_id", "stage_id", "amount", "currency_code", "merged_into_id",
        "created_at", "closed_at", "updated_at", "deleted_at") on "crm"."opportunities" to "cdc", "etl_audit";

-- apply: the newest known versions
with kept as (
    select to_jsonb("opportunity_id"), jsonb_build_object('id'::text, "opportunity_id", 'campaign_id'::text, "campaign_id",
        'source_lead_id'::text, "source_lead_id", 'stage_id'::text, "stage_id",
        'amount'::text, "amount"::text, 'currency_code'::text, "currency_code",
        'merged_into_id'::text, "merged_into_id", 'created_at'::text, "created_at",
        'closed_at'::text, "closed_at", 'updated_at'::text, "updated_at", 'deleted_at'::text, "deleted_at"), is_deleted, "t"."src_epoch", "t"."src_commit", "t"."src_lsn", "t"."src_is_snapshot", _loaded_at, '{}'::text[]
    from "realtime"."live_opportunities" t where "opportunity_id" = any(%(keys)s::uuid[]) order by "opportunity_id" for update
), open as (
    select payload as _payload, last_tried_at as _tried_at, rules as _rules from ops.quarantine
    where feed = 'live_opportunities' and key = any(%(keys)s::text[]) and released_at is null order by key for update
), held as (
    select to_jsonb("opportunity_id"), jsonb_build_object('id'::text, "opportunity_id", 'campaign_id'::text, "campaign_id",
        'source_lead_id'::text, "source_lead_id", 'stage_id'::text, "stage_id",
        'amount'::text, "amount"::text, 'currency_code'::text, "currency_code",
        'merged_into_id'::text, "merged_into_id", 'created_at'::text, "created_at",
        'closed_at'::text, "closed_at", 'updated_at'::text, "updated_at", 'deleted_at'::text, "deleted_at") - array_remove(array[case when not _payload ? 'opportunity_id' then 'id' end,
        case when not _payload ? 'campaign_id' then 'campaign_id' end,
        case when not _payload ? 'source_lead_id' then 'source_lead_id' end,
        case when not _payload ? 'stage_id' then 'stage_id' end,
        case when not _payload ? 'amount' then 'amount' end,
        case when not _payload ? 'currency_code' then 'currency_code' end,
        case when not _payload ? 'merged_into_id' then 'merged_into_id' end,
        case when not _payload ? 'created_at' then 'created_at' end,
        case when not _payload ? 'closed_at' then 'closed_at' end,
        case when not _payload ? 'updated_at' then 'updated_at' end,
        case when not _payload ? 'deleted_at' then 'deleted_at' end]::text[], null), false, "x"."src_epoch", "x"."src_commit", "x"."src_lsn", "x"."src_is_snapshot", _tried_at, _rules
    from open cross join lateral jsonb_to_record(_payload) as x("opportunity_id" uuid, "campaign_id" uuid, "source_lead_id" uuid, "stage_id" uuid, "amount" numeric,
        "currency_code" text, "merged_into_id" uuid, "created_at" timestamp with time zone,
        "closed_at" timestamp with time zone, "updated_at" timestamp with time zone,
        "deleted_at" timestamp with time zone,
        "src_epoch" integer, "src_commit" bigint, "src_lsn" bigint, "src_is_snapshot" boolean,
        committed_at timestamptz)
)
select * from kept union all select * from held;

-- apply: upsert into realtime.live_opportunities
with src as (
select "x"."id" as "opportunity_id",
        case when "x"."campaign_id"::text in (select key from ops.suppression where length(key) >= 16)
            then '00000000-0000-0000-0000-000000000000' else "x"."campaign_id" end as "campaign_id",
        case when "x"."source_lead_id"::text in (select key from ops.suppression where length(key) >= 16)
            then '00000000-0000-0000-0000-000000000000' else "x"."source_lead_id" end as "source_lead_id",
        case when "x"."stage_id"::text in (select key from ops.suppression where length(key) >= 16)
            then '00000000-0000-0000-0000-000000000000' else "x"."stage_id" end as "stage_id",
        "x"."amount" as "amount", "x"."currency_code" as "currency_code",
        case when "x"."merged_into_id"::text in (select key from ops.suppression where length(key) >= 16)
            then '00000000-0000-0000-0000-000000000000' else "x"."merged_into_id" end as "merged_into_id",
        "x"."created_at" as "created_at", "x"."closed_at" as "closed_at", "x"."updated_at" as "updated_at",
        "x"."deleted_at" as "deleted_at", "x"."promptsales_is_deleted" as "is_deleted",
        "x"."promptsales_src_epoch" as "src_epoch", "x"."promptsales_src_commit" as "src_commit",
        "x"."promptsales_src_lsn" as "src_lsn", "x"."promptsales_src_is_snapshot" as "src_is_snapshot",
        "x"."promptsales_committed_at" as "committed_at"
from json_to_recordset(%(rows)s::json) as x("id" uuid, "campaign_id" uuid, "source_lead_id" uuid, "stage_id" uuid, "amount" numeric(14,2),
        "currency_code" character(3), "merged_into_id" uuid, "created_at" timestamp with time zone,
        "closed_at" timestamp with time zone, "updated_at" timestamp with time zone,
        "deleted_at" timestamp with time zone, "promptsales_is_deleted" boolean,
        "promptsales_src_epoch" integer, "promptsales_src_commit" bigint, "promptsales_src_lsn" bigint,
        "promptsales_src_is_snapshot" boolean, "promptsales_committed_at" timestamptz)
where not "x"."id"::text in (select key from ops.suppression where length(key) >= 16) and ("x"."promptsales_is_deleted" or not exists (
    select from ops.truncation d where d.feed = 'live_opportunities' and ("x"."promptsales_src_epoch", "x"."promptsales_src_commit", not "x"."promptsales_src_is_snapshot", "x"."promptsales_src_lsn") < ("d"."src_epoch", "d"."src_commit", not false, "d"."src_lsn")
))
),
up as (
    insert into "realtime"."live_opportunities" as t ("opportunity_id", "campaign_id", "source_lead_id", "stage_id", "amount", "currency_code",
        "merged_into_id", "created_at", "closed_at", "updated_at", "deleted_at", "is_deleted", "src_epoch", "src_commit", "src_lsn", "src_is_snapshot", _loaded_at)
    select "opportunity_id", "campaign_id", "source_lead_id", "stage_id", "amount", "currency_code",
        "merged_into_id", "created_at", "closed_at", "updated_at", "deleted_at", "is_deleted", "src_epoch", "src_commit", "src_lsn", "src_is_snapshot", clock_timestamp() from src order by "opportunity_id"
    on conflict ("opportunity_id") do update
    set "campaign_id" = case when excluded.is_deleted then t."campaign_id" else excluded."campaign_id" end,
        "source_lead_id" = case when excluded.is_deleted then t."source_lead_id" else excluded."source_lead_id" end,
        "stage_id" = case when excluded.is_deleted then t."stage_id" else excluded."stage_id" end,
        "amount" = case when excluded.is_deleted then t."amount" else excluded."amount" end,
        "currency_code" = case when excluded.is_deleted then t."currency_code" else excluded."currency_code" end,
        "merged_into_id" = case when excluded.is_deleted then t."merged_into_id" else excluded."merged_into_id" end,
        "created_at" = case when excluded.is_deleted then t."created_at" else excluded."created_at" end,
        "closed_at" = case when excluded.is_deleted then t."closed_at" else excluded."closed_at" end,
        "updated_at" = case when excluded.is_deleted then t."updated_at" else excluded."updated_at" end,
        "deleted_at" = case when excluded.is_deleted then t."deleted_at" else excluded."deleted_at" end, "is_deleted" = excluded."is_deleted", "src_epoch" = excluded."src_epoch",
        "src_commit" = excluded."src_commit", "src_lsn" = excluded."src_lsn",
        "src_is_snapshot" = excluded."src_is_snapshot", _loaded_at = excluded._loaded_at
    where ("t"."src_epoch", "t"."src_commit", not "t"."src_is_snapshot", "t"."src_lsn") < ("excluded"."src_epoch", "excluded"."src_commit", not "excluded"."src_is_snapshot", "excluded"."src_lsn")
    returning "old"."opportunity_id" as "old_opportunity_id", "new"."opportunity_id" as "new_opportunity_id"
)
select count(*) from up;

-- apply: move bad versions to quarantine
with src as (
select "x"."id" as "opportunity_id",
        case when "x"."campaign_id"::text in (select key from ops.suppression where length(key) >= 16)
            then '00000000-0000-0000-0000-000000000000' else "x"."campaign_id" end as "campaign_id",
        case when "x"."source_lead_id"::text in (select key from ops.suppression where length(key) >= 16)
            then '00000000-0000-0000-0000-000000000000' else "x"."source_lead_id" end as "source_lead_id",
        case when "x"."stage_id"::text in (select key from ops.suppression where length(key) >= 16)
            then '00000000-0000-0000-0000-000000000000' else "x"."stage_id" end as "stage_id",
        "x"."amount" as "amount", "x"."currency_code" as "currency_code",
        case when "x"."merged_into_id"::text in (select key from ops.suppression where length(key) >= 16)
            then '00000000-0000-0000-0000-000000000000' else "x"."merged_into_id" end as "merged_into_id",
        "x"."created_at" as "created_at", "x"."closed_at" as "closed_at", "x"."updated_at" as "updated_at",
        "x"."deleted_at" as "deleted_at", "x"."promptsales_is_deleted" as "is_deleted",
        "x"."promptsales_src_epoch" as "src_epoch", "x"."promptsales_src_commit" as "src_commit",
        "x"."promptsales_src_lsn" as "src_lsn", "x"."promptsales_src_is_snapshot" as "src_is_snapshot",
        "x"."promptsales_committed_at" as "committed_at"
from json_to_recordset(%(rows)s::json) as x("id" uuid, "campaign_id" uuid, "source_lead_id" uuid, "stage_id" uuid, "amount" numeric(14,2),
        "currency_code" character(3), "merged_into_id" uuid, "created_at" timestamp with time zone,
        "closed_at" timestamp with time zone, "updated_at" timestamp with time zone,
        "deleted_at" timestamp with time zone, "promptsales_is_deleted" boolean,
        "promptsales_src_epoch" integer, "promptsales_src_commit" bigint, "promptsales_src_lsn" bigint,
        "promptsales_src_is_snapshot" boolean, "promptsales_committed_at" timestamptz)
where not "x"."id"::text in (select key from ops.suppression where length(key) >= 16) and ("x"."promptsales_is_deleted" or not exists (
    select from ops.truncation d where d.feed = 'live_opportunities' and ("x"."promptsales_src_epoch", "x"."promptsales_src_commit", not "x"."promptsales_src_is_snapshot", "x"."promptsales_src_lsn") < ("d"."src_epoch", "d"."src_commit", not false, "d"."src_lsn")
))
),
judged as (
    select s.*, r.rules as _rules, r.missing as _missing from src s
    join json_to_recordset(%(broken)s::json) as r(key text, rules text[], missing text[])
      on r.key = s."opportunity_id"::text
)
insert into ops.quarantine as q (feed, key, extraction, rules, suite_checksum, payload, is_core_stale)
select 'live_opportunities', j."opportunity_id"::text, j.src_lsn, j._rules, %(suite_checksum)s,
       to_jsonb(j.*) - '{_rules,_missing}'::text[] - j._missing,
       exists (select from "realtime"."live_opportunities" t where t."opportunity_id" = j."opportunity_id")
from judged j
where not exists (
    select from "realtime"."live_opportunities" t where t."opportunity_id" = j."opportunity_id"
      and ("t"."src_epoch", "t"."src_commit", not "t"."src_is_snapshot", "t"."src_lsn") >= ("j"."src_epoch", "j"."src_commit", not "j"."src_is_snapshot", "j"."src_lsn")
)
order by j."opportunity_id"
on conflict (feed, key) where released_at is null do update
set extraction = excluded.extraction, rules = excluded.rules, suite_checksum = excluded.suite_checksum,
    payload = excluded.payload, is_core_stale = excluded.is_core_stale, is_waived = false,
    last_tried_at = clock_timestamp(), tries = q.tries + 1
where ((q.payload->>'src_epoch')::integer, (q.payload->>'src_commit')::bigint, not (q.payload->>'src_is_snapshot')::boolean, (q.payload->>'src_lsn')::bigint) < ((excluded.payload->>'src_epoch')::integer, (excluded.payload->>'src_commit')::bigint, not (excluded.payload->>'src_is_snapshot')::boolean, (excluded.payload->>'src_lsn')::bigint);

-- apply: release rows from quarantine
update ops.quarantine q
set released_at = clock_timestamp(), release_reason = case when q.is_waived then 'waived' else 'repaired' end
from "realtime"."live_opportunities" t
where q.feed = 'live_opportunities' and q.released_at is null and q.key = any(%(keys)s::text[]) and q.key = t."opportunity_id"::text
  and t."opportunity_id" = any(%(keys)s::uuid[])
  and ((q.payload->>'src_epoch')::integer, (q.payload->>'src_commit')::bigint, not (q.payload->>'src_is_snapshot')::boolean, (q.payload->>'src_lsn')::bigint) <= ("t"."src_epoch", "t"."src_commit", not "t"."src_is_snapshot", "t"."src_lsn");

-- repair: let the same version replace a row
update "realtime"."live_opportunities" t set src_lsn = src_lsn - 1 where "opportunity_id" = %(key)s::uuid and ("t"."src_epoch", "t"."src_commit", not "t"."src_is_snapshot", "t"."src_lsn") = (%(epoch)s, %(commit)s, not %(is_snapshot)s, %(lsn)s);

-- repair: let the same version replace a payload
update ops.quarantine q set payload = payload || jsonb_build_object('src_lsn', %(lsn)s::bigint - 1)
where feed = 'live_opportunities' and key = (%(key)s::uuid)::text and released_at is null
  and ((q.payload->>'src_epoch')::integer, (q.payload->>'src_commit')::bigint, not (q.payload->>'src_is_snapshot')::boolean, (q.payload->>'src_lsn')::bigint) = (%(epoch)s, %(commit)s, not %(is_snapshot)s, %(lsn)s);

-- repair: set a row aside that the table cannot hold
insert into ops.quarantine as q (feed, key, extraction, rules, suite_checksum, payload, is_core_stale)
select 'live_opportunities', k.key::text, %(lsn)s, array[%(rule)s], %(suite_checksum)s,
       k.payload || jsonb_strip_nulls(jsonb_build_object('campaign_id'::text, case when ("k"."payload" ->> 'campaign_id')::text in (select key from ops.suppression where length(key) >= 16)
            then '00000000-0000-0000-0000-000000000000' else ("k"."payload" ->> 'campaign_id') end,
        'source_lead_id'::text, case when ("k"."payload" ->> 'source_lead_id')::text in (select key from ops.suppression where length(key) >= 16)
            then '00000000-0000-0000-0000-000000000000' else ("k"."payload" ->> 'source_lead_id') end,
        'stage_id'::text, case when ("k"."payload" ->> 'stage_id')::text in (select key from ops.suppression where length(key) >= 16)
            then '00000000-0000-0000-0000-000000000000' else ("k"."payload" ->> 'stage_id') end,
        'merged_into_id'::text, case when ("k"."payload" ->> 'merged_into_id')::text in (select key from ops.suppression where length(key) >= 16)
            then '00000000-0000-0000-0000-000000000000' else ("k"."payload" ->> 'merged_into_id') end)) || jsonb_build_object(
           'src_epoch', %(epoch)s::integer, 'src_commit', %(commit)s::bigint, 'src_lsn', %(lsn)s::bigint,
           'src_is_snapshot', %(is_snapshot)s, 'is_deleted', false),
       exists (select from "realtime"."live_opportunities" t where t."opportunity_id" = k.key)
from (select %(key)s::uuid, %(values)s::jsonb) as k(key, payload)
where not "k"."key"::text in (select key from ops.suppression where length(key) >= 16) and not exists (
    select from "realtime"."live_opportunities" t where t."opportunity_id" = k.key
      and ("t"."src_epoch", "t"."src_commit", not "t"."src_is_snapshot", "t"."src_lsn") > (%(epoch)s, %(commit)s, not %(is_snapshot)s, %(lsn)s)
)
on conflict (feed, key) where released_at is null do update
set extraction = excluded.extraction, rules = excluded.rules, suite_checksum = excluded.suite_checksum,
    payload = excluded.payload, is_core_stale = excluded.is_core_stale, is_waived = false,
    last_tried_at = clock_timestamp(), tries = q.tries + 1
where ((q.payload->>'src_epoch')::integer, (q.payload->>'src_commit')::bigint, not (q.payload->>'src_is_snapshot')::boolean, (q.payload->>'src_lsn')::bigint) <= (%(epoch)s, %(commit)s, not %(is_snapshot)s, %(lsn)s);

-- truncate: keys that are older than a TRUNCATE
select to_jsonb(t."opportunity_id") from "realtime"."live_opportunities" t
where not t.is_deleted and ("t"."src_epoch", "t"."src_commit", not "t"."src_is_snapshot", "t"."src_lsn") < (%(epoch)s, %(commit)s, not %(is_snapshot)s, %(lsn)s)
union
select q.payload->'opportunity_id' from ops.quarantine q
where q.feed = 'live_opportunities' and q.released_at is null and ((q.payload->>'src_epoch')::integer, (q.payload->>'src_commit')::bigint, not (q.payload->>'src_is_snapshot')::boolean, (q.payload->>'src_lsn')::bigint) < (%(epoch)s, %(commit)s, not %(is_snapshot)s, %(lsn)s);

-- sweep: keys of earlier epochs
with waiting as (
    select key, max((payload->>'src_epoch')::integer) as epoch from ops.quarantine
    where feed = 'live_opportunities' and released_at is null group by key
)
select to_jsonb(t."opportunity_id") from "realtime"."live_opportunities" t left join waiting w on w.key = t."opportunity_id"::text
where t.src_epoch < 7 and not t.is_deleted and coalesce(w.epoch, 0) < 7
union
select q.payload->'opportunity_id' from ops.quarantine q join waiting w using (key)
where q.feed = 'live_opportunities' and q.released_at is null and w.epoch < 7
  and not exists (select from "realtime"."live_opportunities" t where t."opportunity_id"::text = q.key and t.src_epoch >= 7);

-- sweep: which of some keys the source has
select "id"::text from "crm"."opportunities" where "id" = any(%s::uuid[]);

-- waive: lock the row
select from "realtime"."live_opportunities" t where t."opportunity_id" = (
    select key::uuid from ops.quarantine where quarantine_id = %(id)s and feed = 'live_opportunities'
) for update;

-- waive: release the row of quarantine
with held as (
    update ops.quarantine set is_waived = true
    where quarantine_id = %(id)s and feed = 'live_opportunities' and released_at is null
    returning payload as _payload, last_tried_at as _last_tried_at
)
select to_jsonb("opportunity_id"), jsonb_build_object('id'::text, "opportunity_id", 'campaign_id'::text, "campaign_id",
        'source_lead_id'::text, "source_lead_id", 'stage_id'::text, "stage_id",
        'amount'::text, "amount"::text, 'currency_code'::text, "currency_code",
        'merged_into_id'::text, "merged_into_id", 'created_at'::text, "created_at",
        'closed_at'::text, "closed_at", 'updated_at'::text, "updated_at", 'deleted_at'::text, "deleted_at") - array_remove(array[case when not _payload ? 'opportunity_id' then 'id' end,
        case when not _payload ? 'campaign_id' then 'campaign_id' end,
        case when not _payload ? 'source_lead_id' then 'source_lead_id' end,
        case when not _payload ? 'stage_id' then 'stage_id' end,
        case when not _payload ? 'amount' then 'amount' end,
        case when not _payload ? 'currency_code' then 'currency_code' end,
        case when not _payload ? 'merged_into_id' then 'merged_into_id' end,
        case when not _payload ? 'created_at' then 'created_at' end,
        case when not _payload ? 'closed_at' then 'closed_at' end,
        case when not _payload ? 'updated_at' then 'updated_at' end,
        case when not _payload ? 'deleted_at' then 'deleted_at' end]::text[], null), "x"."src_epoch", "x"."src_commit", "x"."src_lsn", "x"."src_is_snapshot",
       coalesce(committed_at, _last_tried_at)
from held cross join lateral jsonb_to_record(_payload) as x("opportunity_id" uuid, "campaign_id" uuid, "source_lead_id" uuid, "stage_id" uuid, "amount" numeric,
        "currency_code" text, "merged_into_id" uuid, "created_at" timestamp with time zone,
        "closed_at" timestamp with time zone, "updated_at" timestamp with time zone,
        "deleted_at" timestamp with time zone,
        "src_epoch" integer, "src_commit" bigint, "src_lsn" bigint, "src_is_snapshot" boolean,
        committed_at timestamptz);

-- judge again: open rows of quarantine
select _id, to_jsonb("opportunity_id"), jsonb_build_object('id'::text, "opportunity_id", 'campaign_id'::text, "campaign_id",
        'source_lead_id'::text, "source_lead_id", 'stage_id'::text, "stage_id",
        'amount'::text, "amount"::text, 'currency_code'::text, "currency_code",
        'merged_into_id'::text, "merged_into_id", 'created_at'::text, "created_at",
        'closed_at'::text, "closed_at", 'updated_at'::text, "updated_at", 'deleted_at'::text, "deleted_at") - array_remove(array[case when not _payload ? 'opportunity_id' then 'id' end,
        case when not _payload ? 'campaign_id' then 'campaign_id' end,
        case when not _payload ? 'source_lead_id' then 'source_lead_id' end,
        case when not _payload ? 'stage_id' then 'stage_id' end,
        case when not _payload ? 'amount' then 'amount' end,
        case when not _payload ? 'currency_code' then 'currency_code' end,
        case when not _payload ? 'merged_into_id' then 'merged_into_id' end,
        case when not _payload ? 'created_at' then 'created_at' end,
        case when not _payload ? 'closed_at' then 'closed_at' end,
        case when not _payload ? 'updated_at' then 'updated_at' end,
        case when not _payload ? 'deleted_at' then 'deleted_at' end]::text[], null), _payload::text, "x"."src_epoch", "x"."src_commit", "x"."src_lsn", "x"."src_is_snapshot",
       coalesce(committed_at, _tried_at), clock_timestamp(), _rules, _checksum
from (
    select quarantine_id as _id, payload as _payload, rules as _rules, suite_checksum as _checksum,
           last_tried_at as _tried_at
    from ops.quarantine
    where feed = 'live_opportunities' and released_at is null and quarantine_id > %(after)s and not (
        rules <@ %(refused)s and suite_checksum = %(checksum)s
        and last_tried_at > clock_timestamp() - interval '1 day'
    )
    order by quarantine_id limit %(rows)s
) q cross join lateral jsonb_to_record(_payload) as x("opportunity_id" uuid, "campaign_id" uuid, "source_lead_id" uuid, "stage_id" uuid, "amount" numeric,
        "currency_code" text, "merged_into_id" uuid, "created_at" timestamp with time zone,
        "closed_at" timestamp with time zone, "updated_at" timestamp with time zone,
        "deleted_at" timestamp with time zone,
        "src_epoch" integer, "src_commit" bigint, "src_lsn" bigint, "src_is_snapshot" boolean,
        committed_at timestamptz)
order by _id;

-- check: the living rows
select * from "realtime"."live_opportunities" t where not is_deleted;

-- check: the living rows that were loaded since a time
select * from "realtime"."live_opportunities" t where not is_deleted
    and _loaded_at >= '2026-01-02 03:04:05+00:00'::timestamptz and not exists (
        select from ops.quarantine q
        where q.feed = 'live_opportunities' and q.key = t."opportunity_id"::text and q.release_reason = 'waived'
          and ((q.payload->>'src_epoch')::integer, (q.payload->>'src_lsn')::bigint,
               (q.payload->>'src_is_snapshot')::boolean) = (t.src_epoch, t.src_lsn, t.src_is_snapshot)
    );

-- audit: whether anything has come since a time
select exists (select from ops.stream_offset where topic = %(topic)s and applied_at > %(since)s)
    or exists (select from "realtime"."live_opportunities" where _loaded_at > %(since)s);

-- audit: rows and sums by hour of the warehouse
select date_trunc('hour', updated_at, 'UTC'), count(*), sum("amount"),
       sum(('x' || left(encode(sha256(convert_to((jsonb_build_object('opportunity_id'::text, "opportunity_id", 'campaign_id'::text, "campaign_id",
        'source_lead_id'::text, "source_lead_id", 'stage_id'::text, "stage_id", 'amount'::text, "amount",
        'currency_code'::text, "currency_code", 'merged_into_id'::text, "merged_into_id",
        'created_at'::text, "created_at", 'closed_at'::text, "closed_at", 'updated_at'::text, "updated_at",
        'deleted_at'::text, "deleted_at") - _missing)::text, 'UTF8')), 'hex'), 8))
           ::bit(32)::bigint)
from
(select "t"."opportunity_id"::uuid as "opportunity_id", "t"."campaign_id"::uuid as "campaign_id",
        "t"."source_lead_id"::uuid as "source_lead_id", "t"."stage_id"::uuid as "stage_id",
        round("t"."amount"::numeric, 2) as "amount", "t"."currency_code"::text as "currency_code",
        "t"."merged_into_id"::uuid as "merged_into_id",
        "t"."created_at"::timestamp with time zone as "created_at",
        "t"."closed_at"::timestamp with time zone as "closed_at",
        "t"."updated_at"::timestamp with time zone as "updated_at",
        "t"."deleted_at"::timestamp with time zone as "deleted_at", t.is_deleted, '{}'::text[] as _missing, "t"."src_epoch", "t"."src_commit", "t"."src_lsn", "t"."src_is_snapshot"
 from "realtime"."live_opportunities" t
 where not exists (
     select from ops.quarantine q where q.feed = 'live_opportunities' and q.key = t."opportunity_id"::text and q.released_at is null
 )
 union all
 select "x"."opportunity_id"::uuid as "opportunity_id", "x"."campaign_id"::uuid as "campaign_id",
        "x"."source_lead_id"::uuid as "source_lead_id", "x"."stage_id"::uuid as "stage_id",
        round("x"."amount"::numeric, 2) as "amount", "x"."currency_code"::text as "currency_code",
        "x"."merged_into_id"::uuid as "merged_into_id",
        "x"."created_at"::timestamp with time zone as "created_at",
        "x"."closed_at"::timestamp with time zone as "closed_at",
        "x"."updated_at"::timestamp with time zone as "updated_at",
        "x"."deleted_at"::timestamp with time zone as "deleted_at", false, array_remove(array[case when not q.payload ? 'opportunity_id' then 'opportunity_id' end,
        case when not q.payload ? 'campaign_id' then 'campaign_id' end,
        case when not q.payload ? 'source_lead_id' then 'source_lead_id' end,
        case when not q.payload ? 'stage_id' then 'stage_id' end,
        case when not q.payload ? 'amount' then 'amount' end,
        case when not q.payload ? 'currency_code' then 'currency_code' end,
        case when not q.payload ? 'merged_into_id' then 'merged_into_id' end,
        case when not q.payload ? 'created_at' then 'created_at' end,
        case when not q.payload ? 'closed_at' then 'closed_at' end,
        case when not q.payload ? 'updated_at' then 'updated_at' end,
        case when not q.payload ? 'deleted_at' then 'deleted_at' end]::text[], null), "x"."src_epoch", "x"."src_commit", "x"."src_lsn", "x"."src_is_snapshot"
 from ops.quarantine q cross join lateral jsonb_to_record(q.payload) as x("opportunity_id" uuid, "campaign_id" uuid, "source_lead_id" uuid, "stage_id" uuid, "amount" numeric,
        "currency_code" text, "merged_into_id" uuid, "created_at" timestamp with time zone,
        "closed_at" timestamp with time zone, "updated_at" timestamp with time zone,
        "deleted_at" timestamp with time zone,
        "src_epoch" integer, "src_commit" bigint, "src_lsn" bigint, "src_is_snapshot" boolean,
        committed_at timestamptz)
 where q.feed = 'live_opportunities' and q.released_at is null)
as r
where not is_deleted and updated_at >= %(since)s and updated_at < %(until)s group by 1;

-- audit: keys of some hours of the warehouse
select "opportunity_id"::text from
(select "t"."opportunity_id"::uuid as "opportunity_id", "t"."campaign_id"::uuid as "campaign_id",
        "t"."source_lead_id"::uuid as "source_lead_id", "t"."stage_id"::uuid as "stage_id",
        round("t"."amount"::numeric, 2) as "amount", "t"."currency_code"::text as "currency_code",
        "t"."merged_into_id"::uuid as "merged_into_id",
        "t"."created_at"::timestamp with time zone as "created_at",
        "t"."closed_at"::timestamp with time zone as "closed_at",
        "t"."updated_at"::timestamp with time zone as "updated_at",
        "t"."deleted_at"::timestamp with time zone as "deleted_at", t.is_deleted, '{}'::text[] as _missing, "t"."src_epoch", "t"."src_commit", "t"."src_lsn", "t"."src_is_snapshot"
 from "realtime"."live_opportunities" t
 where not exists (
     select from ops.quarantine q where q.feed = 'live_opportunities' and q.key = t."opportunity_id"::text and q.released_at is null
 )
 union all
 select "x"."opportunity_id"::uuid as "opportunity_id", "x"."campaign_id"::uuid as "campaign_id",
        "x"."source_lead_id"::uuid as "source_lead_id", "x"."stage_id"::uuid as "stage_id",
        round("x"."amount"::numeric, 2) as "amount", "x"."currency_code"::text as "currency_code",
        "x"."merged_into_id"::uuid as "merged_into_id",
        "x"."created_at"::timestamp with time zone as "created_at",
        "x"."closed_at"::timestamp with time zone as "closed_at",
        "x"."updated_at"::timestamp with time zone as "updated_at",
        "x"."deleted_at"::timestamp with time zone as "deleted_at", false, array_remove(array[case when not q.payload ? 'opportunity_id' then 'opportunity_id' end,
        case when not q.payload ? 'campaign_id' then 'campaign_id' end,
        case when not q.payload ? 'source_lead_id' then 'source_lead_id' end,
        case when not q.payload ? 'stage_id' then 'stage_id' end,
        case when not q.payload ? 'amount' then 'amount' end,
        case when not q.payload ? 'currency_code' then 'currency_code' end,
        case when not q.payload ? 'merged_into_id' then 'merged_into_id' end,
        case when not q.payload ? 'created_at' then 'created_at' end,
        case when not q.payload ? 'closed_at' then 'closed_at' end,
        case when not q.payload ? 'updated_at' then 'updated_at' end,
        case when not q.payload ? 'deleted_at' then 'deleted_at' end]::text[], null), "x"."src_epoch", "x"."src_commit", "x"."src_lsn", "x"."src_is_snapshot"
 from ops.quarantine q cross join lateral jsonb_to_record(q.payload) as x("opportunity_id" uuid, "campaign_id" uuid, "source_lead_id" uuid, "stage_id" uuid, "amount" numeric,
        "currency_code" text, "merged_into_id" uuid, "created_at" timestamp with time zone,
        "closed_at" timestamp with time zone, "updated_at" timestamp with time zone,
        "deleted_at" timestamp with time zone,
        "src_epoch" integer, "src_commit" bigint, "src_lsn" bigint, "src_is_snapshot" boolean,
        committed_at timestamptz)
 where q.feed = 'live_opportunities' and q.released_at is null)
as r
where not is_deleted and updated_at >= %s and updated_at < %s
  and date_trunc('hour', updated_at, 'UTC') = any(%s);

-- audit: digests by bucket of the warehouse
select ('x' || left(encode(sha256(convert_to("opportunity_id"::text, 'UTF8')), 'hex'), 3))::bit(12)::int, count(*), sum(
('x' || left(encode(sha256(convert_to((jsonb_build_object('opportunity_id'::text, "opportunity_id", 'campaign_id'::text, "campaign_id",
            'source_lead_id'::text, "source_lead_id", 'stage_id'::text, "stage_id", 'amount'::text, "amount",
            'currency_code'::text, "currency_code", 'merged_into_id'::text, "merged_into_id",
            'created_at'::text, "created_at", 'closed_at'::text, "closed_at", 'updated_at'::text, "updated_at",
            'deleted_at'::text, "deleted_at") - _missing)::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint
)
from
    (select "t"."opportunity_id"::uuid as "opportunity_id", "t"."campaign_id"::uuid as "campaign_id",
            "t"."source_lead_id"::uuid as "source_lead_id", "t"."stage_id"::uuid as "stage_id",
            round("t"."amount"::numeric, 2) as "amount", "t"."currency_code"::text as "currency_code",
            "t"."merged_into_id"::uuid as "merged_into_id",
            "t"."created_at"::timestamp with time zone as "created_at",
            "t"."closed_at"::timestamp with time zone as "closed_at",
            "t"."updated_at"::timestamp with time zone as "updated_at",
            "t"."deleted_at"::timestamp with time zone as "deleted_at", t.is_deleted, '{}'::text[] as _missing, "t"."src_epoch", "t"."src_commit", "t"."src_lsn", "t"."src_is_snapshot"
     from "realtime"."live_opportunities" t
     where not exists (
         select from ops.quarantine q where q.feed = 'live_opportunities' and q.key = t."opportunity_id"::text and q.released_at is null
     )
     union all
     select "x"."opportunity_id"::uuid as "opportunity_id", "x"."campaign_id"::uuid as "campaign_id",
            "x"."source_lead_id"::uuid as "source_lead_id", "x"."stage_id"::uuid as "stage_id",
            round("x"."amount"::numeric, 2) as "amount", "x"."currency_code"::text as "currency_code",
            "x"."merged_into_id"::uuid as "merged_into_id",
            "x"."created_at"::timestamp with time zone as "created_at",
            "x"."closed_at"::timestamp with time zone as "closed_at",
            "x"."updated_at"::timestamp with time zone as "updated_at",
            "x"."deleted_at"::timestamp with time zone as "deleted_at", false, array_remove(array[case when not q.payload ? 'opportunity_id' then 'opportunity_id' end,
            case when not q.payload ? 'campaign_id' then 'campaign_id' end,
            case when not q.payload ? 'source_lead_id' then 'source_lead_id' end,
            case when not q.payload ? 'stage_id' then 'stage_id' end,
            case when not q.payload ? 'amount' then 'amount' end,
            case when not q.payload ? 'currency_code' then 'currency_code' end,
            case when not q.payload ? 'merged_into_id' then 'merged_into_id' end,
            case when not q.payload ? 'created_at' then 'created_at' end,
            case when not q.payload ? 'closed_at' then 'closed_at' end,
            case when not q.payload ? 'updated_at' then 'updated_at' end,
            case when not q.payload ? 'deleted_at' then 'deleted_at' end]::text[], null), "x"."src_epoch", "x"."src_commit", "x"."src_lsn", "x"."src_is_snapshot"
     from ops.quarantine q cross join lateral jsonb_to_record(q.payload) as x("opportunity_id" uuid, "campaign_id" uuid, "source_lead_id" uuid, "stage_id" uuid, "amount" numeric,
            "currency_code" text, "merged_into_id" uuid, "created_at" timestamp with time zone,
            "closed_at" timestamp with time zone, "updated_at" timestamp with time zone,
            "deleted_at" timestamp with time zone,
            "src_epoch" integer, "src_commit" bigint, "src_lsn" bigint, "src_is_snapshot" boolean,
            committed_at timestamptz)
     where q.feed = 'live_opportunities' and q.released_at is null)
 r
where not is_deleted
group by 1;

-- audit: digests by key of the warehouse
select "opportunity_id"::text collate "C" as key,
('x' || left(encode(sha256(convert_to((jsonb_build_object('opportunity_id'::text, "opportunity_id", 'campaign_id'::text, "campaign_id",
            'source_lead_id'::text, "source_lead_id", 'stage_id'::text, "stage_id", 'amount'::text, "amount",
            'currency_code'::text, "currency_code", 'merged_into_id'::text, "merged_into_id",
            'created_at'::text, "created_at", 'closed_at'::text, "closed_at", 'updated_at'::text, "updated_at",
            'deleted_at'::text, "deleted_at") - _missing)::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint
as digest, null::timestamptz as changed_at
from
    (select "t"."opportunity_id"::uuid as "opportunity_id", "t"."campaign_id"::uuid as "campaign_id",
            "t"."source_lead_id"::uuid as "source_lead_id", "t"."stage_id"::uuid as "stage_id",
            round("t"."amount"::numeric, 2) as "amount", "t"."currency_code"::text as "currency_code",
            "t"."merged_into_id"::uuid as "merged_into_id",
            "t"."created_at"::timestamp with time zone as "created_at",
            "t"."closed_at"::timestamp with time zone as "closed_at",
            "t"."updated_at"::timestamp with time zone as "updated_at",
            "t"."deleted_at"::timestamp with time zone as "deleted_at", t.is_deleted, '{}'::text[] as _missing, "t"."src_epoch", "t"."src_commit", "t"."src_lsn", "t"."src_is_snapshot"
     from "realtime"."live_opportunities" t
     where not exists (
         select from ops.quarantine q where q.feed = 'live_opportunities' and q.key = t."opportunity_id"::text and q.released_at is null
     )
     union all
     select "x"."opportunity_id"::uuid as "opportunity_id", "x"."campaign_id"::uuid as "campaign_id",
            "x"."source_lead_id"::uuid as "source_lead_id", "x"."stage_id"::uuid as "stage_id",
            round("x"."amount"::numeric, 2) as "amount", "x"."currency_code"::text as "currency_code",
            "x"."merged_into_id"::uuid as "merged_into_id",
            "x"."created_at"::timestamp with time zone as "created_at",
            "x"."closed_at"::timestamp with time zone as "closed_at",
            "x"."updated_at"::timestamp with time zone as "updated_at",
            "x"."deleted_at"::timestamp with time zone as "deleted_at", false, array_remove(array[case when not q.payload ? 'opportunity_id' then 'opportunity_id' end,
            case when not q.payload ? 'campaign_id' then 'campaign_id' end,
            case when not q.payload ? 'source_lead_id' then 'source_lead_id' end,
            case when not q.payload ? 'stage_id' then 'stage_id' end,
            case when not q.payload ? 'amount' then 'amount' end,
            case when not q.payload ? 'currency_code' then 'currency_code' end,
            case when not q.payload ? 'merged_into_id' then 'merged_into_id' end,
            case when not q.payload ? 'created_at' then 'created_at' end,
            case when not q.payload ? 'closed_at' then 'closed_at' end,
            case when not q.payload ? 'updated_at' then 'updated_at' end,
            case when not q.payload ? 'deleted_at' then 'deleted_at' end]::text[], null), "x"."src_epoch", "x"."src_commit", "x"."src_lsn", "x"."src_is_snapshot"
     from ops.quarantine q cross join lateral jsonb_to_record(q.payload) as x("opportunity_id" uuid, "campaign_id" uuid, "source_lead_id" uuid, "stage_id" uuid, "amount" numeric,
            "currency_code" text, "merged_into_id" uuid, "created_at" timestamp with time zone,
            "closed_at" timestamp with time zone, "updated_at" timestamp with time zone,
            "deleted_at" timestamp with time zone,
            "src_epoch" integer, "src_commit" bigint, "src_lsn" bigint, "src_is_snapshot" boolean,
            committed_at timestamptz)
     where q.feed = 'live_opportunities' and q.released_at is null)
 r
where not is_deleted and ('x' || left(encode(sha256(convert_to("opportunity_id"::text, 'UTF8')), 'hex'), 3))::bit(12)::int = any(%(buckets)s)
order by 1;

-- audit: digests of some keys of the warehouse
select "opportunity_id"::text,
('x' || left(encode(sha256(convert_to((jsonb_build_object('opportunity_id'::text, "opportunity_id", 'campaign_id'::text, "campaign_id",
            'source_lead_id'::text, "source_lead_id", 'stage_id'::text, "stage_id", 'amount'::text, "amount",
            'currency_code'::text, "currency_code", 'merged_into_id'::text, "merged_into_id",
            'created_at'::text, "created_at", 'closed_at'::text, "closed_at", 'updated_at'::text, "updated_at",
            'deleted_at'::text, "deleted_at") - _missing)::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint
from
    (select "t"."opportunity_id"::uuid as "opportunity_id", "t"."campaign_id"::uuid as "campaign_id",
            "t"."source_lead_id"::uuid as "source_lead_id", "t"."stage_id"::uuid as "stage_id",
            round("t"."amount"::numeric, 2) as "amount", "t"."currency_code"::text as "currency_code",
            "t"."merged_into_id"::uuid as "merged_into_id",
            "t"."created_at"::timestamp with time zone as "created_at",
            "t"."closed_at"::timestamp with time zone as "closed_at",
            "t"."updated_at"::timestamp with time zone as "updated_at",
            "t"."deleted_at"::timestamp with time zone as "deleted_at", t.is_deleted, '{}'::text[] as _missing, "t"."src_epoch", "t"."src_commit", "t"."src_lsn", "t"."src_is_snapshot"
     from "realtime"."live_opportunities" t
     where not exists (
         select from ops.quarantine q where q.feed = 'live_opportunities' and q.key = t."opportunity_id"::text and q.released_at is null
     )
     union all
     select "x"."opportunity_id"::uuid as "opportunity_id", "x"."campaign_id"::uuid as "campaign_id",
            "x"."source_lead_id"::uuid as "source_lead_id", "x"."stage_id"::uuid as "stage_id",
            round("x"."amount"::numeric, 2) as "amount", "x"."currency_code"::text as "currency_code",
            "x"."merged_into_id"::uuid as "merged_into_id",
            "x"."created_at"::timestamp with time zone as "created_at",
            "x"."closed_at"::timestamp with time zone as "closed_at",
            "x"."updated_at"::timestamp with time zone as "updated_at",
            "x"."deleted_at"::timestamp with time zone as "deleted_at", false, array_remove(array[case when not q.payload ? 'opportunity_id' then 'opportunity_id' end,
            case when not q.payload ? 'campaign_id' then 'campaign_id' end,
            case when not q.payload ? 'source_lead_id' then 'source_lead_id' end,
            case when not q.payload ? 'stage_id' then 'stage_id' end,
            case when not q.payload ? 'amount' then 'amount' end,
            case when not q.payload ? 'currency_code' then 'currency_code' end,
            case when not q.payload ? 'merged_into_id' then 'merged_into_id' end,
            case when not q.payload ? 'created_at' then 'created_at' end,
            case when not q.payload ? 'closed_at' then 'closed_at' end,
            case when not q.payload ? 'updated_at' then 'updated_at' end,
            case when not q.payload ? 'deleted_at' then 'deleted_at' end]::text[], null), "x"."src_epoch", "x"."src_commit", "x"."src_lsn", "x"."src_is_snapshot"
     from ops.quarantine q cross join lateral jsonb_to_record(q.payload) as x("opportunity_id" uuid, "campaign_id" uuid, "source_lead_id" uuid, "stage_id" uuid, "amount" numeric,
            "currency_code" text, "merged_into_id" uuid, "created_at" timestamp with time zone,
            "closed_at" timestamp with time zone, "updated_at" timestamp with time zone,
            "deleted_at" timestamp with time zone,
            "src_epoch" integer, "src_commit" bigint, "src_lsn" bigint, "src_is_snapshot" boolean,
            committed_at timestamptz)
     where q.feed = 'live_opportunities' and q.released_at is null)
 r
where not is_deleted and "opportunity_id" = any(%(keys)s::uuid[]);

-- audit: rows and sums by hour of the source
select date_trunc('hour', updated_at, 'UTC'), count(*), sum("amount"),
       sum(('x' || left(encode(sha256(convert_to((jsonb_build_object('opportunity_id'::text, "opportunity_id", 'campaign_id'::text, "campaign_id",
        'source_lead_id'::text, "source_lead_id", 'stage_id'::text, "stage_id", 'amount'::text, "amount",
        'currency_code'::text, "currency_code", 'merged_into_id'::text, "merged_into_id",
        'created_at'::text, "created_at", 'closed_at'::text, "closed_at", 'updated_at'::text, "updated_at",
        'deleted_at'::text, "deleted_at") - _missing)::text, 'UTF8')), 'hex'), 8))
           ::bit(32)::bigint)
from
(select "s"."id"::uuid as "opportunity_id",
        case when "s"."campaign_id"::uuid::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ',')))
            then '00000000-0000-0000-0000-000000000000' else "s"."campaign_id"::uuid end as "campaign_id",
        case when "s"."source_lead_id"::uuid::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ',')))
            then '00000000-0000-0000-0000-000000000000' else "s"."source_lead_id"::uuid end as "source_lead_id",
        case when "s"."stage_id"::uuid::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ',')))
            then '00000000-0000-0000-0000-000000000000' else "s"."stage_id"::uuid end as "stage_id",
        round("s"."amount"::numeric, 2) as "amount", "s"."currency_code"::text as "currency_code",
        case when "s"."merged_into_id"::uuid::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ',')))
            then '00000000-0000-0000-0000-000000000000' else "s"."merged_into_id"::uuid end as "merged_into_id",
        "s"."created_at"::timestamp with time zone as "created_at",
        "s"."closed_at"::timestamp with time zone as "closed_at",
        "s"."updated_at"::timestamp with time zone as "updated_at",
        "s"."deleted_at"::timestamp with time zone as "deleted_at", false as is_deleted, '{}'::text[] as _missing
 from "crm"."opportunities" as s
 where not "s"."id"::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ','))))
as r
where not is_deleted and updated_at >= %(since)s and updated_at < %(until)s group by 1;

-- audit: keys of some hours of the source
select "opportunity_id"::text from
(select "s"."id"::uuid as "opportunity_id",
        case when "s"."campaign_id"::uuid::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ',')))
            then '00000000-0000-0000-0000-000000000000' else "s"."campaign_id"::uuid end as "campaign_id",
        case when "s"."source_lead_id"::uuid::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ',')))
            then '00000000-0000-0000-0000-000000000000' else "s"."source_lead_id"::uuid end as "source_lead_id",
        case when "s"."stage_id"::uuid::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ',')))
            then '00000000-0000-0000-0000-000000000000' else "s"."stage_id"::uuid end as "stage_id",
        round("s"."amount"::numeric, 2) as "amount", "s"."currency_code"::text as "currency_code",
        case when "s"."merged_into_id"::uuid::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ',')))
            then '00000000-0000-0000-0000-000000000000' else "s"."merged_into_id"::uuid end as "merged_into_id",
        "s"."created_at"::timestamp with time zone as "created_at",
        "s"."closed_at"::timestamp with time zone as "closed_at",
        "s"."updated_at"::timestamp with time zone as "updated_at",
        "s"."deleted_at"::timestamp with time zone as "deleted_at", false as is_deleted, '{}'::text[] as _missing
 from "crm"."opportunities" as s
 where not "s"."id"::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ','))))
as r
where not is_deleted and updated_at >= %s and updated_at < %s
  and date_trunc('hour', updated_at, 'UTC') = any(%s);

-- audit: digests by bucket of the source
select ('x' || left(encode(sha256(convert_to("opportunity_id"::text, 'UTF8')), 'hex'), 3))::bit(12)::int, count(*), sum(
('x' || left(encode(sha256(convert_to((jsonb_build_object('opportunity_id'::text, "opportunity_id", 'campaign_id'::text, "campaign_id",
            'source_lead_id'::text, "source_lead_id", 'stage_id'::text, "stage_id", 'amount'::text, "amount",
            'currency_code'::text, "currency_code", 'merged_into_id'::text, "merged_into_id",
            'created_at'::text, "created_at", 'closed_at'::text, "closed_at", 'updated_at'::text, "updated_at",
            'deleted_at'::text, "deleted_at") - _missing)::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint
)
from
    (select "s"."id"::uuid as "opportunity_id",
            case when "s"."campaign_id"::uuid::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ',')))
                then '00000000-0000-0000-0000-000000000000' else "s"."campaign_id"::uuid end as "campaign_id",
            case when "s"."source_lead_id"::uuid::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ',')))
                then '00000000-0000-0000-0000-000000000000' else "s"."source_lead_id"::uuid end as "source_lead_id",
            case when "s"."stage_id"::uuid::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ',')))
                then '00000000-0000-0000-0000-000000000000' else "s"."stage_id"::uuid end as "stage_id",
            round("s"."amount"::numeric, 2) as "amount", "s"."currency_code"::text as "currency_code",
            case when "s"."merged_into_id"::uuid::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ',')))
                then '00000000-0000-0000-0000-000000000000' else "s"."merged_into_id"::uuid end as "merged_into_id",
            "s"."created_at"::timestamp with time zone as "created_at",
            "s"."closed_at"::timestamp with time zone as "closed_at",
            "s"."updated_at"::timestamp with time zone as "updated_at",
            "s"."deleted_at"::timestamp with time zone as "deleted_at", false as is_deleted, '{}'::text[] as _missing
     from "crm"."opportunities" as s
     where not "s"."id"::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ','))))
 r
where not is_deleted
group by 1;

-- audit: digests by key of the source
select "opportunity_id"::text collate "C" as key,
('x' || left(encode(sha256(convert_to((jsonb_build_object('opportunity_id'::text, "opportunity_id", 'campaign_id'::text, "campaign_id",
            'source_lead_id'::text, "source_lead_id", 'stage_id'::text, "stage_id", 'amount'::text, "amount",
            'currency_code'::text, "currency_code", 'merged_into_id'::text, "merged_into_id",
            'created_at'::text, "created_at", 'closed_at'::text, "closed_at", 'updated_at'::text, "updated_at",
            'deleted_at'::text, "deleted_at") - _missing)::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint
as digest, null::timestamptz as changed_at
from
    (select "s"."id"::uuid as "opportunity_id",
            case when "s"."campaign_id"::uuid::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ',')))
                then '00000000-0000-0000-0000-000000000000' else "s"."campaign_id"::uuid end as "campaign_id",
            case when "s"."source_lead_id"::uuid::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ',')))
                then '00000000-0000-0000-0000-000000000000' else "s"."source_lead_id"::uuid end as "source_lead_id",
            case when "s"."stage_id"::uuid::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ',')))
                then '00000000-0000-0000-0000-000000000000' else "s"."stage_id"::uuid end as "stage_id",
            round("s"."amount"::numeric, 2) as "amount", "s"."currency_code"::text as "currency_code",
            case when "s"."merged_into_id"::uuid::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ',')))
                then '00000000-0000-0000-0000-000000000000' else "s"."merged_into_id"::uuid end as "merged_into_id",
            "s"."created_at"::timestamp with time zone as "created_at",
            "s"."closed_at"::timestamp with time zone as "closed_at",
            "s"."updated_at"::timestamp with time zone as "updated_at",
            "s"."deleted_at"::timestamp with time zone as "deleted_at", false as is_deleted, '{}'::text[] as _missing
     from "crm"."opportunities" as s
     where not "s"."id"::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ','))))
 r
where not is_deleted and ('x' || left(encode(sha256(convert_to("opportunity_id"::text, 'UTF8')), 'hex'), 3))::bit(12)::int = any(%(buckets)s)
order by 1;

-- audit: digests of some keys of the source
select "opportunity_id"::text,
('x' || left(encode(sha256(convert_to((jsonb_build_object('opportunity_id'::text, "opportunity_id", 'campaign_id'::text, "campaign_id",
            'source_lead_id'::text, "source_lead_id", 'stage_id'::text, "stage_id", 'amount'::text, "amount",
            'currency_code'::text, "currency_code", 'merged_into_id'::text, "merged_into_id",
            'created_at'::text, "created_at", 'closed_at'::text, "closed_at", 'updated_at'::text, "updated_at",
            'deleted_at'::text, "deleted_at") - _missing)::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint
from
    (select "s"."id"::uuid as "opportunity_id",
            case when "s"."campaign_id"::uuid::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ',')))
                then '00000000-0000-0000-0000-000000000000' else "s"."campaign_id"::uuid end as "campaign_id",
            case when "s"."source_lead_id"::uuid::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ',')))
                then '00000000-0000-0000-0000-000000000000' else "s"."source_lead_id"::uuid end as "source_lead_id",
            case when "s"."stage_id"::uuid::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ',')))
                then '00000000-0000-0000-0000-000000000000' else "s"."stage_id"::uuid end as "stage_id",
            round("s"."amount"::numeric, 2) as "amount", "s"."currency_code"::text as "currency_code",
            case when "s"."merged_into_id"::uuid::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ',')))
                then '00000000-0000-0000-0000-000000000000' else "s"."merged_into_id"::uuid end as "merged_into_id",
            "s"."created_at"::timestamp with time zone as "created_at",
            "s"."closed_at"::timestamp with time zone as "closed_at",
            "s"."updated_at"::timestamp with time zone as "updated_at",
            "s"."deleted_at"::timestamp with time zone as "deleted_at", false as is_deleted, '{}'::text[] as _missing
     from "crm"."opportunities" as s
     where not "s"."id"::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ','))))
 r
where not is_deleted and "opportunity_id" = any(%(keys)s::uuid[]);

-- audit: rows by key of the warehouse
select "opportunity_id"::text, to_jsonb("opportunity_id"), case when not is_deleted then (jsonb_build_object('opportunity_id'::text, "opportunity_id", 'campaign_id'::text, "campaign_id",
        'source_lead_id'::text, "source_lead_id", 'stage_id'::text, "stage_id", 'amount'::text, "amount",
        'currency_code'::text, "currency_code", 'merged_into_id'::text, "merged_into_id",
        'created_at'::text, "created_at", 'closed_at'::text, "closed_at", 'updated_at'::text, "updated_at",
        'deleted_at'::text, "deleted_at") - _missing)::text end,
       "r"."src_epoch", "r"."src_commit", "r"."src_lsn", "r"."src_is_snapshot"
from
(select "t"."opportunity_id"::uuid as "opportunity_id", "t"."campaign_id"::uuid as "campaign_id",
        "t"."source_lead_id"::uuid as "source_lead_id", "t"."stage_id"::uuid as "stage_id",
        round("t"."amount"::numeric, 2) as "amount", "t"."currency_code"::text as "currency_code",
        "t"."merged_into_id"::uuid as "merged_into_id",
        "t"."created_at"::timestamp with time zone as "created_at",
        "t"."closed_at"::timestamp with time zone as "closed_at",
        "t"."updated_at"::timestamp with time zone as "updated_at",
        "t"."deleted_at"::timestamp with time zone as "deleted_at", t.is_deleted, '{}'::text[] as _missing, "t"."src_epoch", "t"."src_commit", "t"."src_lsn", "t"."src_is_snapshot"
 from "realtime"."live_opportunities" t
 where not exists (
     select from ops.quarantine q where q.feed = 'live_opportunities' and q.key = t."opportunity_id"::text and q.released_at is null
 )
 union all
 select "x"."opportunity_id"::uuid as "opportunity_id", "x"."campaign_id"::uuid as "campaign_id",
        "x"."source_lead_id"::uuid as "source_lead_id", "x"."stage_id"::uuid as "stage_id",
        round("x"."amount"::numeric, 2) as "amount", "x"."currency_code"::text as "currency_code",
        "x"."merged_into_id"::uuid as "merged_into_id",
        "x"."created_at"::timestamp with time zone as "created_at",
        "x"."closed_at"::timestamp with time zone as "closed_at",
        "x"."updated_at"::timestamp with time zone as "updated_at",
        "x"."deleted_at"::timestamp with time zone as "deleted_at", false, array_remove(array[case when not q.payload ? 'opportunity_id' then 'opportunity_id' end,
        case when not q.payload ? 'campaign_id' then 'campaign_id' end,
        case when not q.payload ? 'source_lead_id' then 'source_lead_id' end,
        case when not q.payload ? 'stage_id' then 'stage_id' end,
        case when not q.payload ? 'amount' then 'amount' end,
        case when not q.payload ? 'currency_code' then 'currency_code' end,
        case when not q.payload ? 'merged_into_id' then 'merged_into_id' end,
        case when not q.payload ? 'created_at' then 'created_at' end,
        case when not q.payload ? 'closed_at' then 'closed_at' end,
        case when not q.payload ? 'updated_at' then 'updated_at' end,
        case when not q.payload ? 'deleted_at' then 'deleted_at' end]::text[], null), "x"."src_epoch", "x"."src_commit", "x"."src_lsn", "x"."src_is_snapshot"
 from ops.quarantine q cross join lateral jsonb_to_record(q.payload) as x("opportunity_id" uuid, "campaign_id" uuid, "source_lead_id" uuid, "stage_id" uuid, "amount" numeric,
        "currency_code" text, "merged_into_id" uuid, "created_at" timestamp with time zone,
        "closed_at" timestamp with time zone, "updated_at" timestamp with time zone,
        "deleted_at" timestamp with time zone,
        "src_epoch" integer, "src_commit" bigint, "src_lsn" bigint, "src_is_snapshot" boolean,
        committed_at timestamptz)
 where q.feed = 'live_opportunities' and q.released_at is null)
as r where "opportunity_id" = any(%s::uuid[]);

-- audit: rows by key of the source
select "opportunity_id"::text, to_jsonb("opportunity_id"), (jsonb_build_object('opportunity_id'::text, "opportunity_id", 'campaign_id'::text, "campaign_id",
        'source_lead_id'::text, "source_lead_id", 'stage_id'::text, "stage_id", 'amount'::text, "amount",
        'currency_code'::text, "currency_code", 'merged_into_id'::text, "merged_into_id",
        'created_at'::text, "created_at", 'closed_at'::text, "closed_at", 'updated_at'::text, "updated_at",
        'deleted_at'::text, "deleted_at") - _missing)::text, jsonb_build_object('id'::text, "opportunity_id", 'campaign_id'::text, "campaign_id",
        'source_lead_id'::text, "source_lead_id", 'stage_id'::text, "stage_id",
        'amount'::text, "amount"::text, 'currency_code'::text, "currency_code",
        'merged_into_id'::text, "merged_into_id", 'created_at'::text, "created_at",
        'closed_at'::text, "closed_at", 'updated_at'::text, "updated_at", 'deleted_at'::text, "deleted_at")
from
(select "s"."id"::uuid as "opportunity_id",
        case when "s"."campaign_id"::uuid::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ',')))
            then '00000000-0000-0000-0000-000000000000' else "s"."campaign_id"::uuid end as "campaign_id",
        case when "s"."source_lead_id"::uuid::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ',')))
            then '00000000-0000-0000-0000-000000000000' else "s"."source_lead_id"::uuid end as "source_lead_id",
        case when "s"."stage_id"::uuid::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ',')))
            then '00000000-0000-0000-0000-000000000000' else "s"."stage_id"::uuid end as "stage_id",
        round("s"."amount"::numeric, 2) as "amount", "s"."currency_code"::text as "currency_code",
        case when "s"."merged_into_id"::uuid::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ',')))
            then '00000000-0000-0000-0000-000000000000' else "s"."merged_into_id"::uuid end as "merged_into_id",
        "s"."created_at"::timestamp with time zone as "created_at",
        "s"."closed_at"::timestamp with time zone as "closed_at",
        "s"."updated_at"::timestamp with time zone as "updated_at",
        "s"."deleted_at"::timestamp with time zone as "deleted_at", false as is_deleted, '{}'::text[] as _missing
 from "crm"."opportunities" as s
 where not "s"."id"::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ','))))
as r where "opportunity_id" = any(%s::uuid[]);
