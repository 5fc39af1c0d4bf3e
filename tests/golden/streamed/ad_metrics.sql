-- Written by `python -m tests.golden` from warehouse/core/ad_metrics; do not edit.
-- The statements are as psycopg gets them: %(name)s and %s stand for parameters, %% for a percent sign.

-- provision: its part of the publication, which has other tables too
alter publication "promptads" set table "promptads"."ad_metrics" ("id", "ad_id", "timestamp", "impressions", "clicks", "spend", "conversions", "updated_at");

-- provision: what Debezium's role may read
grant usage on schema "promptads" to "cdc", "etl_audit";
revoke select on "promptads"."ad_metrics" from "cdc", "etl_audit";
grant select ("id", "ad_id", "timestamp", "impressions", "clicks", "spend", "conversions", "updated_at") on "promptads"."ad_metrics" to "cdc", "etl_audit";

-- apply: the newest known versions
with kept as (
    select to_jsonb("metric_id"), jsonb_build_object('id'::text, "metric_id", 'ad_id'::text, "ad_id", 'timestamp'::text, "metric_at",
        'impressions'::text, "impressions", 'clicks'::text, "clicks", 'spend'::text, "spend"::text,
        'conversions'::text, "conversions", 'updated_at'::text, "updated_at"), is_deleted, "t"."src_epoch", "t"."src_commit", "t"."src_lsn", "t"."src_is_snapshot", _loaded_at, '{}'::text[]
    from "core"."ad_metrics" t where "metric_id" = any(%(keys)s::bigint[]) order by "metric_id" for update
), open as (
    select payload as _payload, last_tried_at as _tried_at, rules as _rules from ops.quarantine
    where feed = 'ad_metrics' and key = any(%(keys)s::text[]) and released_at is null order by key for update
), held as (
    select to_jsonb("metric_id"), jsonb_build_object('id'::text, "metric_id", 'ad_id'::text, "ad_id", 'timestamp'::text, "metric_at",
        'impressions'::text, "impressions", 'clicks'::text, "clicks", 'spend'::text, "spend"::text,
        'conversions'::text, "conversions", 'updated_at'::text, "updated_at") - array_remove(array[case when not _payload ? 'metric_id' then 'id' end,
        case when not _payload ? 'ad_id' then 'ad_id' end,
        case when not _payload ? 'metric_at' then 'timestamp' end,
        case when not _payload ? 'impressions' then 'impressions' end,
        case when not _payload ? 'clicks' then 'clicks' end,
        case when not _payload ? 'spend' then 'spend' end,
        case when not _payload ? 'conversions' then 'conversions' end,
        case when not _payload ? 'updated_at' then 'updated_at' end]::text[], null), false, "x"."src_epoch", "x"."src_commit", "x"."src_lsn", "x"."src_is_snapshot", _tried_at, _rules
    from open cross join lateral jsonb_to_record(_payload) as x("metric_id" bigint, "ad_id" uuid, "metric_at" timestamp with time zone, "impressions" numeric,
        "clicks" numeric, "spend" numeric, "conversions" numeric, "updated_at" timestamp with time zone,
        "src_epoch" integer, "src_commit" bigint, "src_lsn" bigint, "src_is_snapshot" boolean,
        committed_at timestamptz)
)
select * from kept union all select * from held;

-- apply: upsert into core.ad_metrics
with src as (
select "x"."id" as "metric_id",
        case when "x"."ad_id"::text in (select key from ops.suppression where length(key) >= 16)
            then '00000000-0000-0000-0000-000000000000' else "x"."ad_id" end as "ad_id",
        "x"."timestamp" as "metric_at", "x"."impressions" as "impressions", "x"."clicks" as "clicks",
        "x"."spend" as "spend", "x"."conversions" as "conversions", "x"."updated_at" as "updated_at",
        "x"."promptsales_is_deleted" as "is_deleted", "x"."promptsales_src_epoch" as "src_epoch",
        "x"."promptsales_src_commit" as "src_commit", "x"."promptsales_src_lsn" as "src_lsn",
        "x"."promptsales_src_is_snapshot" as "src_is_snapshot",
        "x"."promptsales_committed_at" as "committed_at"
from json_to_recordset(%(rows)s::json) as x("id" bigint, "ad_id" uuid, "timestamp" timestamp with time zone, "impressions" integer,
        "clicks" integer, "spend" numeric(18,4), "conversions" integer,
        "updated_at" timestamp with time zone, "promptsales_is_deleted" boolean,
        "promptsales_src_epoch" integer, "promptsales_src_commit" bigint, "promptsales_src_lsn" bigint,
        "promptsales_src_is_snapshot" boolean, "promptsales_committed_at" timestamptz)
where not "x"."id"::text in (select key from ops.suppression where length(key) >= 16) and ("x"."promptsales_is_deleted" or not exists (
    select from ops.truncation d where d.feed = 'ad_metrics' and ("x"."promptsales_src_epoch", "x"."promptsales_src_commit", not "x"."promptsales_src_is_snapshot", "x"."promptsales_src_lsn") < ("d"."src_epoch", "d"."src_commit", not false, "d"."src_lsn")
))
),
up as (
    insert into "core"."ad_metrics" as t ("metric_id", "ad_id", "metric_at", "impressions", "clicks", "spend", "conversions", "updated_at", "is_deleted", "src_epoch", "src_commit", "src_lsn", "src_is_snapshot", _loaded_at)
    select "metric_id", "ad_id", "metric_at", "impressions", "clicks", "spend", "conversions", "updated_at", "is_deleted", "src_epoch", "src_commit", "src_lsn", "src_is_snapshot", clock_timestamp() from src order by "metric_id"
    on conflict ("metric_id") do update
    set "ad_id" = case when excluded.is_deleted then t."ad_id" else excluded."ad_id" end,
        "metric_at" = case when excluded.is_deleted then t."metric_at" else excluded."metric_at" end,
        "impressions" = case when excluded.is_deleted then t."impressions" else excluded."impressions" end,
        "clicks" = case when excluded.is_deleted then t."clicks" else excluded."clicks" end,
        "spend" = case when excluded.is_deleted then t."spend" else excluded."spend" end,
        "conversions" = case when excluded.is_deleted then t."conversions" else excluded."conversions" end,
        "updated_at" = case when excluded.is_deleted then t."updated_at" else excluded."updated_at" end, "is_deleted" = excluded."is_deleted", "src_epoch" = excluded."src_epoch",
        "src_commit" = excluded."src_commit", "src_lsn" = excluded."src_lsn",
        "src_is_snapshot" = excluded."src_is_snapshot", _loaded_at = excluded._loaded_at
    where ("t"."src_epoch", "t"."src_commit", not "t"."src_is_snapshot", "t"."src_lsn") < ("excluded"."src_epoch", "excluded"."src_commit", not "excluded"."src_is_snapshot", "excluded"."src_lsn")
    returning "old"."ad_id" as "old_ad_id", "old"."metric_at" as "old_metric_at", "new"."ad_id" as "new_ad_id",
        "new"."metric_at" as "new_metric_at"
), touched as (
    insert into ops.touched (core_table, entity_id, day)
    select 'ad_metrics', entity::text, (day at time zone 'UTC')::date
    from (select "old_ad_id", "old_metric_at" from up union select "new_ad_id", "new_metric_at" from up) x(entity, day)
    where entity is not null and day is not null
    group by 1, 2, 3 order by 1, 2, 3
    on conflict (core_table, entity_id, day) do update set touched_at = clock_timestamp()
)
select count(*) from up;

-- apply: move bad versions to quarantine
with src as (
select "x"."id" as "metric_id",
        case when "x"."ad_id"::text in (select key from ops.suppression where length(key) >= 16)
            then '00000000-0000-0000-0000-000000000000' else "x"."ad_id" end as "ad_id",
        "x"."timestamp" as "metric_at", "x"."impressions" as "impressions", "x"."clicks" as "clicks",
        "x"."spend" as "spend", "x"."conversions" as "conversions", "x"."updated_at" as "updated_at",
        "x"."promptsales_is_deleted" as "is_deleted", "x"."promptsales_src_epoch" as "src_epoch",
        "x"."promptsales_src_commit" as "src_commit", "x"."promptsales_src_lsn" as "src_lsn",
        "x"."promptsales_src_is_snapshot" as "src_is_snapshot",
        "x"."promptsales_committed_at" as "committed_at"
from json_to_recordset(%(rows)s::json) as x("id" bigint, "ad_id" uuid, "timestamp" timestamp with time zone, "impressions" integer,
        "clicks" integer, "spend" numeric(18,4), "conversions" integer,
        "updated_at" timestamp with time zone, "promptsales_is_deleted" boolean,
        "promptsales_src_epoch" integer, "promptsales_src_commit" bigint, "promptsales_src_lsn" bigint,
        "promptsales_src_is_snapshot" boolean, "promptsales_committed_at" timestamptz)
where not "x"."id"::text in (select key from ops.suppression where length(key) >= 16) and ("x"."promptsales_is_deleted" or not exists (
    select from ops.truncation d where d.feed = 'ad_metrics' and ("x"."promptsales_src_epoch", "x"."promptsales_src_commit", not "x"."promptsales_src_is_snapshot", "x"."promptsales_src_lsn") < ("d"."src_epoch", "d"."src_commit", not false, "d"."src_lsn")
))
),
judged as (
    select s.*, r.rules as _rules, r.missing as _missing from src s
    join json_to_recordset(%(broken)s::json) as r(key text, rules text[], missing text[])
      on r.key = s."metric_id"::text
)
insert into ops.quarantine as q (feed, key, extraction, rules, suite_checksum, payload, is_core_stale)
select 'ad_metrics', j."metric_id"::text, j.src_lsn, j._rules, %(suite_checksum)s,
       to_jsonb(j.*) - '{_rules,_missing}'::text[] - j._missing,
       exists (select from "core"."ad_metrics" t where t."metric_id" = j."metric_id")
from judged j
where not exists (
    select from "core"."ad_metrics" t where t."metric_id" = j."metric_id"
      and ("t"."src_epoch", "t"."src_commit", not "t"."src_is_snapshot", "t"."src_lsn") >= ("j"."src_epoch", "j"."src_commit", not "j"."src_is_snapshot", "j"."src_lsn")
)
order by j."metric_id"
on conflict (feed, key) where released_at is null do update
set extraction = excluded.extraction, rules = excluded.rules, suite_checksum = excluded.suite_checksum,
    payload = excluded.payload, is_core_stale = excluded.is_core_stale, is_waived = false,
    last_tried_at = clock_timestamp(), tries = q.tries + 1
where ((q.payload->>'src_epoch')::integer, (q.payload->>'src_commit')::bigint, not (q.payload->>'src_is_snapshot')::boolean, (q.payload->>'src_lsn')::bigint) < ((excluded.payload->>'src_epoch')::integer, (excluded.payload->>'src_commit')::bigint, not (excluded.payload->>'src_is_snapshot')::boolean, (excluded.payload->>'src_lsn')::bigint);

-- apply: release rows from quarantine
update ops.quarantine q
set released_at = clock_timestamp(), release_reason = case when q.is_waived then 'waived' else 'repaired' end
from "core"."ad_metrics" t
where q.feed = 'ad_metrics' and q.released_at is null and q.key = any(%(keys)s::text[]) and q.key = t."metric_id"::text
  and t."metric_id" = any(%(keys)s::bigint[])
  and ((q.payload->>'src_epoch')::integer, (q.payload->>'src_commit')::bigint, not (q.payload->>'src_is_snapshot')::boolean, (q.payload->>'src_lsn')::bigint) <= ("t"."src_epoch", "t"."src_commit", not "t"."src_is_snapshot", "t"."src_lsn");

-- repair: let the same version replace a row
update "core"."ad_metrics" t set src_lsn = src_lsn - 1 where "metric_id" = %(key)s::bigint and ("t"."src_epoch", "t"."src_commit", not "t"."src_is_snapshot", "t"."src_lsn") = (%(epoch)s, %(commit)s, not %(is_snapshot)s, %(lsn)s);

-- repair: let the same version replace a payload
update ops.quarantine q set payload = payload || jsonb_build_object('src_lsn', %(lsn)s::bigint - 1)
where feed = 'ad_metrics' and key = (%(key)s::bigint)::text and released_at is null
  and ((q.payload->>'src_epoch')::integer, (q.payload->>'src_commit')::bigint, not (q.payload->>'src_is_snapshot')::boolean, (q.payload->>'src_lsn')::bigint) = (%(epoch)s, %(commit)s, not %(is_snapshot)s, %(lsn)s);

-- repair: set a row aside that the table cannot hold
insert into ops.quarantine as q (feed, key, extraction, rules, suite_checksum, payload, is_core_stale)
select 'ad_metrics', k.key::text, %(lsn)s, array[%(rule)s], %(suite_checksum)s,
       k.payload || jsonb_strip_nulls(jsonb_build_object('ad_id'::text, case when ("k"."payload" ->> 'ad_id')::text in (select key from ops.suppression where length(key) >= 16)
            then '00000000-0000-0000-0000-000000000000' else ("k"."payload" ->> 'ad_id') end)) || jsonb_build_object(
           'src_epoch', %(epoch)s::integer, 'src_commit', %(commit)s::bigint, 'src_lsn', %(lsn)s::bigint,
           'src_is_snapshot', %(is_snapshot)s, 'is_deleted', false),
       exists (select from "core"."ad_metrics" t where t."metric_id" = k.key)
from (select %(key)s::bigint, %(values)s::jsonb) as k(key, payload)
where not "k"."key"::text in (select key from ops.suppression where length(key) >= 16) and not exists (
    select from "core"."ad_metrics" t where t."metric_id" = k.key
      and ("t"."src_epoch", "t"."src_commit", not "t"."src_is_snapshot", "t"."src_lsn") > (%(epoch)s, %(commit)s, not %(is_snapshot)s, %(lsn)s)
)
on conflict (feed, key) where released_at is null do update
set extraction = excluded.extraction, rules = excluded.rules, suite_checksum = excluded.suite_checksum,
    payload = excluded.payload, is_core_stale = excluded.is_core_stale, is_waived = false,
    last_tried_at = clock_timestamp(), tries = q.tries + 1
where ((q.payload->>'src_epoch')::integer, (q.payload->>'src_commit')::bigint, not (q.payload->>'src_is_snapshot')::boolean, (q.payload->>'src_lsn')::bigint) <= (%(epoch)s, %(commit)s, not %(is_snapshot)s, %(lsn)s);

-- truncate: keys that are older than a TRUNCATE
select to_jsonb(t."metric_id") from "core"."ad_metrics" t
where not t.is_deleted and ("t"."src_epoch", "t"."src_commit", not "t"."src_is_snapshot", "t"."src_lsn") < (%(epoch)s, %(commit)s, not %(is_snapshot)s, %(lsn)s)
union
select q.payload->'metric_id' from ops.quarantine q
where q.feed = 'ad_metrics' and q.released_at is null and ((q.payload->>'src_epoch')::integer, (q.payload->>'src_commit')::bigint, not (q.payload->>'src_is_snapshot')::boolean, (q.payload->>'src_lsn')::bigint) < (%(epoch)s, %(commit)s, not %(is_snapshot)s, %(lsn)s);

-- sweep: keys of earlier epochs
with waiting as (
    select key, max((payload->>'src_epoch')::integer) as epoch from ops.quarantine
    where feed = 'ad_metrics' and released_at is null group by key
)
select to_jsonb(t."metric_id") from "core"."ad_metrics" t left join waiting w on w.key = t."metric_id"::text
where t.src_epoch < 7 and not t.is_deleted and coalesce(w.epoch, 0) < 7
union
select q.payload->'metric_id' from ops.quarantine q join waiting w using (key)
where q.feed = 'ad_metrics' and q.released_at is null and w.epoch < 7
  and not exists (select from "core"."ad_metrics" t where t."metric_id"::text = q.key and t.src_epoch >= 7);

-- sweep: which of some keys the source has
select "id"::text from "promptads"."ad_metrics" where "id" = any(%s::bigint[]);

-- waive: lock the row
select from "core"."ad_metrics" t where t."metric_id" = (
    select key::bigint from ops.quarantine where quarantine_id = %(id)s and feed = 'ad_metrics'
) for update;

-- waive: release the row of quarantine
with held as (
    update ops.quarantine set is_waived = true
    where quarantine_id = %(id)s and feed = 'ad_metrics' and released_at is null
    returning payload as _payload, last_tried_at as _last_tried_at
)
select to_jsonb("metric_id"), jsonb_build_object('id'::text, "metric_id", 'ad_id'::text, "ad_id", 'timestamp'::text, "metric_at",
        'impressions'::text, "impressions", 'clicks'::text, "clicks", 'spend'::text, "spend"::text,
        'conversions'::text, "conversions", 'updated_at'::text, "updated_at") - array_remove(array[case when not _payload ? 'metric_id' then 'id' end,
        case when not _payload ? 'ad_id' then 'ad_id' end,
        case when not _payload ? 'metric_at' then 'timestamp' end,
        case when not _payload ? 'impressions' then 'impressions' end,
        case when not _payload ? 'clicks' then 'clicks' end,
        case when not _payload ? 'spend' then 'spend' end,
        case when not _payload ? 'conversions' then 'conversions' end,
        case when not _payload ? 'updated_at' then 'updated_at' end]::text[], null), "x"."src_epoch", "x"."src_commit", "x"."src_lsn", "x"."src_is_snapshot",
       coalesce(committed_at, _last_tried_at)
from held cross join lateral jsonb_to_record(_payload) as x("metric_id" bigint, "ad_id" uuid, "metric_at" timestamp with time zone, "impressions" numeric,
        "clicks" numeric, "spend" numeric, "conversions" numeric, "updated_at" timestamp with time zone,
        "src_epoch" integer, "src_commit" bigint, "src_lsn" bigint, "src_is_snapshot" boolean,
        committed_at timestamptz);

-- judge again: open rows of quarantine
select _id, to_jsonb("metric_id"), jsonb_build_object('id'::text, "metric_id", 'ad_id'::text, "ad_id", 'timestamp'::text, "metric_at",
        'impressions'::text, "impressions", 'clicks'::text, "clicks", 'spend'::text, "spend"::text,
        'conversions'::text, "conversions", 'updated_at'::text, "updated_at") - array_remove(array[case when not _payload ? 'metric_id' then 'id' end,
        case when not _payload ? 'ad_id' then 'ad_id' end,
        case when not _payload ? 'metric_at' then 'timestamp' end,
        case when not _payload ? 'impressions' then 'impressions' end,
        case when not _payload ? 'clicks' then 'clicks' end,
        case when not _payload ? 'spend' then 'spend' end,
        case when not _payload ? 'conversions' then 'conversions' end,
        case when not _payload ? 'updated_at' then 'updated_at' end]::text[], null), _payload::text, "x"."src_epoch", "x"."src_commit", "x"."src_lsn", "x"."src_is_snapshot",
       coalesce(committed_at, _tried_at), clock_timestamp(), _rules, _checksum
from (
    select quarantine_id as _id, payload as _payload, rules as _rules, suite_checksum as _checksum,
           last_tried_at as _tried_at
    from ops.quarantine
    where feed = 'ad_metrics' and released_at is null and quarantine_id > %(after)s and not (
        rules <@ %(refused)s and suite_checksum = %(checksum)s
        and last_tried_at > clock_timestamp() - interval '1 day'
    )
    order by quarantine_id limit %(rows)s
) q cross join lateral jsonb_to_record(_payload) as x("metric_id" bigint, "ad_id" uuid, "metric_at" timestamp with time zone, "impressions" numeric,
        "clicks" numeric, "spend" numeric, "conversions" numeric, "updated_at" timestamp with time zone,
        "src_epoch" integer, "src_commit" bigint, "src_lsn" bigint, "src_is_snapshot" boolean,
        committed_at timestamptz)
order by _id;

-- check: the living rows
select * from "core"."ad_metrics" t where not is_deleted;

-- check: the living rows that were loaded since a time
select * from "core"."ad_metrics" t where not is_deleted
    and _loaded_at >= '2026-01-02 03:04:05+00:00'::timestamptz and not exists (
        select from ops.quarantine q
        where q.feed = 'ad_metrics' and q.key = t."metric_id"::text and q.release_reason = 'waived'
          and ((q.payload->>'src_epoch')::integer, (q.payload->>'src_lsn')::bigint,
               (q.payload->>'src_is_snapshot')::boolean) = (t.src_epoch, t.src_lsn, t.src_is_snapshot)
    );

-- audit: whether anything has come since a time
select exists (select from ops.stream_offset where topic = %(topic)s and applied_at > %(since)s)
    or exists (select from "core"."ad_metrics" where _loaded_at > %(since)s);

-- audit: rows and sums by hour of the warehouse
select date_trunc('hour', updated_at, 'UTC'), count(*), sum("impressions"), sum("clicks"), sum("spend"), sum("conversions"),
       sum(('x' || left(encode(sha256(convert_to((jsonb_build_object('metric_id'::text, "metric_id", 'ad_id'::text, "ad_id", 'metric_at'::text, "metric_at",
        'impressions'::text, "impressions", 'clicks'::text, "clicks", 'spend'::text, "spend",
        'conversions'::text, "conversions", 'updated_at'::text, "updated_at") - _missing)::text, 'UTF8')), 'hex'), 8))
           ::bit(32)::bigint)
from
(select "t"."metric_id"::bigint as "metric_id", "t"."ad_id"::uuid as "ad_id",
        "t"."metric_at"::timestamp with time zone as "metric_at",
        trim_scale("t"."impressions"::numeric) as "impressions",
        trim_scale("t"."clicks"::numeric) as "clicks", round("t"."spend"::numeric, 4) as "spend",
        trim_scale("t"."conversions"::numeric) as "conversions",
        "t"."updated_at"::timestamp with time zone as "updated_at", t.is_deleted, '{}'::text[] as _missing, "t"."src_epoch", "t"."src_commit", "t"."src_lsn", "t"."src_is_snapshot"
 from "core"."ad_metrics" t
 where not exists (
     select from ops.quarantine q where q.feed = 'ad_metrics' and q.key = t."metric_id"::text and q.released_at is null
 )
 union all
 select "x"."metric_id"::bigint as "metric_id", "x"."ad_id"::uuid as "ad_id",
        "x"."metric_at"::timestamp with time zone as "metric_at",
        trim_scale("x"."impressions"::numeric) as "impressions",
        trim_scale("x"."clicks"::numeric) as "clicks", round("x"."spend"::numeric, 4) as "spend",
        trim_scale("x"."conversions"::numeric) as "conversions",
        "x"."updated_at"::timestamp with time zone as "updated_at", false, array_remove(array[case when not q.payload ? 'metric_id' then 'metric_id' end,
        case when not q.payload ? 'ad_id' then 'ad_id' end,
        case when not q.payload ? 'metric_at' then 'metric_at' end,
        case when not q.payload ? 'impressions' then 'impressions' end,
        case when not q.payload ? 'clicks' then 'clicks' end,
        case when not q.payload ? 'spend' then 'spend' end,
        case when not q.payload ? 'conversions' then 'conversions' end,
        case when not q.payload ? 'updated_at' then 'updated_at' end]::text[], null), "x"."src_epoch", "x"."src_commit", "x"."src_lsn", "x"."src_is_snapshot"
 from ops.quarantine q cross join lateral jsonb_to_record(q.payload) as x("metric_id" bigint, "ad_id" uuid, "metric_at" timestamp with time zone, "impressions" numeric,
        "clicks" numeric, "spend" numeric, "conversions" numeric, "updated_at" timestamp with time zone,
        "src_epoch" integer, "src_commit" bigint, "src_lsn" bigint, "src_is_snapshot" boolean,
        committed_at timestamptz)
 where q.feed = 'ad_metrics' and q.released_at is null)
as r
where not is_deleted and updated_at >= %(since)s and updated_at < %(until)s group by 1;

-- audit: keys of some hours of the warehouse
select "metric_id"::text from
(select "t"."metric_id"::bigint as "metric_id", "t"."ad_id"::uuid as "ad_id",
        "t"."metric_at"::timestamp with time zone as "metric_at",
        trim_scale("t"."impressions"::numeric) as "impressions",
        trim_scale("t"."clicks"::numeric) as "clicks", round("t"."spend"::numeric, 4) as "spend",
        trim_scale("t"."conversions"::numeric) as "conversions",
        "t"."updated_at"::timestamp with time zone as "updated_at", t.is_deleted, '{}'::text[] as _missing, "t"."src_epoch", "t"."src_commit", "t"."src_lsn", "t"."src_is_snapshot"
 from "core"."ad_metrics" t
 where not exists (
     select from ops.quarantine q where q.feed = 'ad_metrics' and q.key = t."metric_id"::text and q.released_at is null
 )
 union all
 select "x"."metric_id"::bigint as "metric_id", "x"."ad_id"::uuid as "ad_id",
        "x"."metric_at"::timestamp with time zone as "metric_at",
        trim_scale("x"."impressions"::numeric) as "impressions",
        trim_scale("x"."clicks"::numeric) as "clicks", round("x"."spend"::numeric, 4) as "spend",
        trim_scale("x"."conversions"::numeric) as "conversions",
        "x"."updated_at"::timestamp with time zone as "updated_at", false, array_remove(array[case when not q.payload ? 'metric_id' then 'metric_id' end,
        case when not q.payload ? 'ad_id' then 'ad_id' end,
        case when not q.payload ? 'metric_at' then 'metric_at' end,
        case when not q.payload ? 'impressions' then 'impressions' end,
        case when not q.payload ? 'clicks' then 'clicks' end,
        case when not q.payload ? 'spend' then 'spend' end,
        case when not q.payload ? 'conversions' then 'conversions' end,
        case when not q.payload ? 'updated_at' then 'updated_at' end]::text[], null), "x"."src_epoch", "x"."src_commit", "x"."src_lsn", "x"."src_is_snapshot"
 from ops.quarantine q cross join lateral jsonb_to_record(q.payload) as x("metric_id" bigint, "ad_id" uuid, "metric_at" timestamp with time zone, "impressions" numeric,
        "clicks" numeric, "spend" numeric, "conversions" numeric, "updated_at" timestamp with time zone,
        "src_epoch" integer, "src_commit" bigint, "src_lsn" bigint, "src_is_snapshot" boolean,
        committed_at timestamptz)
 where q.feed = 'ad_metrics' and q.released_at is null)
as r
where not is_deleted and updated_at >= %s and updated_at < %s
  and date_trunc('hour', updated_at, 'UTC') = any(%s);

-- audit: digests by bucket of the warehouse
select ('x' || left(encode(sha256(convert_to("metric_id"::text, 'UTF8')), 'hex'), 3))::bit(12)::int, count(*), sum(
('x' || left(encode(sha256(convert_to((jsonb_build_object('metric_id'::text, "metric_id", 'ad_id'::text, "ad_id", 'metric_at'::text, "metric_at",
            'impressions'::text, "impressions", 'clicks'::text, "clicks", 'spend'::text, "spend",
            'conversions'::text, "conversions", 'updated_at'::text, "updated_at") - _missing)::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint
)
from
    (select "t"."metric_id"::bigint as "metric_id", "t"."ad_id"::uuid as "ad_id",
            "t"."metric_at"::timestamp with time zone as "metric_at",
            trim_scale("t"."impressions"::numeric) as "impressions",
            trim_scale("t"."clicks"::numeric) as "clicks", round("t"."spend"::numeric, 4) as "spend",
            trim_scale("t"."conversions"::numeric) as "conversions",
            "t"."updated_at"::timestamp with time zone as "updated_at", t.is_deleted, '{}'::text[] as _missing, "t"."src_epoch", "t"."src_commit", "t"."src_lsn", "t"."src_is_snapshot"
     from "core"."ad_metrics" t
     where not exists (
         select from ops.quarantine q where q.feed = 'ad_metrics' and q.key = t."metric_id"::text and q.released_at is null
     )
     union all
     select "x"."metric_id"::bigint as "metric_id", "x"."ad_id"::uuid as "ad_id",
            "x"."metric_at"::timestamp with time zone as "metric_at",
            trim_scale("x"."impressions"::numeric) as "impressions",
            trim_scale("x"."clicks"::numeric) as "clicks", round("x"."spend"::numeric, 4) as "spend",
            trim_scale("x"."conversions"::numeric) as "conversions",
            "x"."updated_at"::timestamp with time zone as "updated_at", false, array_remove(array[case when not q.payload ? 'metric_id' then 'metric_id' end,
            case when not q.payload ? 'ad_id' then 'ad_id' end,
            case when not q.payload ? 'metric_at' then 'metric_at' end,
            case when not q.payload ? 'impressions' then 'impressions' end,
            case when not q.payload ? 'clicks' then 'clicks' end,
            case when not q.payload ? 'spend' then 'spend' end,
            case when not q.payload ? 'conversions' then 'conversions' end,
            case when not q.payload ? 'updated_at' then 'updated_at' end]::text[], null), "x"."src_epoch", "x"."src_commit", "x"."src_lsn", "x"."src_is_snapshot"
     from ops.quarantine q cross join lateral jsonb_to_record(q.payload) as x("metric_id" bigint, "ad_id" uuid, "metric_at" timestamp with time zone, "impressions" numeric,
            "clicks" numeric, "spend" numeric, "conversions" numeric, "updated_at" timestamp with time zone,
            "src_epoch" integer, "src_commit" bigint, "src_lsn" bigint, "src_is_snapshot" boolean,
            committed_at timestamptz)
     where q.feed = 'ad_metrics' and q.released_at is null)
 r
where not is_deleted
group by 1;

-- audit: digests by key of the warehouse
select "metric_id"::text collate "C" as key,
('x' || left(encode(sha256(convert_to((jsonb_build_object('metric_id'::text, "metric_id", 'ad_id'::text, "ad_id", 'metric_at'::text, "metric_at",
            'impressions'::text, "impressions", 'clicks'::text, "clicks", 'spend'::text, "spend",
            'conversions'::text, "conversions", 'updated_at'::text, "updated_at") - _missing)::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint
as digest, null::timestamptz as changed_at
from
    (select "t"."metric_id"::bigint as "metric_id", "t"."ad_id"::uuid as "ad_id",
            "t"."metric_at"::timestamp with time zone as "metric_at",
            trim_scale("t"."impressions"::numeric) as "impressions",
            trim_scale("t"."clicks"::numeric) as "clicks", round("t"."spend"::numeric, 4) as "spend",
            trim_scale("t"."conversions"::numeric) as "conversions",
            "t"."updated_at"::timestamp with time zone as "updated_at", t.is_deleted, '{}'::text[] as _missing, "t"."src_epoch", "t"."src_commit", "t"."src_lsn", "t"."src_is_snapshot"
     from "core"."ad_metrics" t
     where not exists (
         select from ops.quarantine q where q.feed = 'ad_metrics' and q.key = t."metric_id"::text and q.released_at is null
     )
     union all
     select "x"."metric_id"::bigint as "metric_id", "x"."ad_id"::uuid as "ad_id",
            "x"."metric_at"::timestamp with time zone as "metric_at",
            trim_scale("x"."impressions"::numeric) as "impressions",
            trim_scale("x"."clicks"::numeric) as "clicks", round("x"."spend"::numeric, 4) as "spend",
            trim_scale("x"."conversions"::numeric) as "conversions",
            "x"."updated_at"::timestamp with time zone as "updated_at", false, array_remove(array[case when not q.payload ? 'metric_id' then 'metric_id' end,
            case when not q.payload ? 'ad_id' then 'ad_id' end,
            case when not q.payload ? 'metric_at' then 'metric_at' end,
            case when not q.payload ? 'impressions' then 'impressions' end,
            case when not q.payload ? 'clicks' then 'clicks' end,
            case when not q.payload ? 'spend' then 'spend' end,
            case when not q.payload ? 'conversions' then 'conversions' end,
            case when not q.payload ? 'updated_at' then 'updated_at' end]::text[], null), "x"."src_epoch", "x"."src_commit", "x"."src_lsn", "x"."src_is_snapshot"
     from ops.quarantine q cross join lateral jsonb_to_record(q.payload) as x("metric_id" bigint, "ad_id" uuid, "metric_at" timestamp with time zone, "impressions" numeric,
            "clicks" numeric, "spend" numeric, "conversions" numeric, "updated_at" timestamp with time zone,
            "src_epoch" integer, "src_commit" bigint, "src_lsn" bigint, "src_is_snapshot" boolean,
            committed_at timestamptz)
     where q.feed = 'ad_metrics' and q.released_at is null)
 r
where not is_deleted and ('x' || left(encode(sha256(convert_to("metric_id"::text, 'UTF8')), 'hex'), 3))::bit(12)::int = any(%(buckets)s)
order by 1;

-- audit: digests of some keys of the warehouse
select "metric_id"::text,
('x' || left(encode(sha256(convert_to((jsonb_build_object('metric_id'::text, "metric_id", 'ad_id'::text, "ad_id", 'metric_at'::text, "metric_at",
            'impressions'::text, "impressions", 'clicks'::text, "clicks", 'spend'::text, "spend",
            'conversions'::text, "conversions", 'updated_at'::text, "updated_at") - _missing)::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint
from
    (select "t"."metric_id"::bigint as "metric_id", "t"."ad_id"::uuid as "ad_id",
            "t"."metric_at"::timestamp with time zone as "metric_at",
            trim_scale("t"."impressions"::numeric) as "impressions",
            trim_scale("t"."clicks"::numeric) as "clicks", round("t"."spend"::numeric, 4) as "spend",
            trim_scale("t"."conversions"::numeric) as "conversions",
            "t"."updated_at"::timestamp with time zone as "updated_at", t.is_deleted, '{}'::text[] as _missing, "t"."src_epoch", "t"."src_commit", "t"."src_lsn", "t"."src_is_snapshot"
     from "core"."ad_metrics" t
     where not exists (
         select from ops.quarantine q where q.feed = 'ad_metrics' and q.key = t."metric_id"::text and q.released_at is null
     )
     union all
     select "x"."metric_id"::bigint as "metric_id", "x"."ad_id"::uuid as "ad_id",
            "x"."metric_at"::timestamp with time zone as "metric_at",
            trim_scale("x"."impressions"::numeric) as "impressions",
            trim_scale("x"."clicks"::numeric) as "clicks", round("x"."spend"::numeric, 4) as "spend",
            trim_scale("x"."conversions"::numeric) as "conversions",
            "x"."updated_at"::timestamp with time zone as "updated_at", false, array_remove(array[case when not q.payload ? 'metric_id' then 'metric_id' end,
            case when not q.payload ? 'ad_id' then 'ad_id' end,
            case when not q.payload ? 'metric_at' then 'metric_at' end,
            case when not q.payload ? 'impressions' then 'impressions' end,
            case when not q.payload ? 'clicks' then 'clicks' end,
            case when not q.payload ? 'spend' then 'spend' end,
            case when not q.payload ? 'conversions' then 'conversions' end,
            case when not q.payload ? 'updated_at' then 'updated_at' end]::text[], null), "x"."src_epoch", "x"."src_commit", "x"."src_lsn", "x"."src_is_snapshot"
     from ops.quarantine q cross join lateral jsonb_to_record(q.payload) as x("metric_id" bigint, "ad_id" uuid, "metric_at" timestamp with time zone, "impressions" numeric,
            "clicks" numeric, "spend" numeric, "conversions" numeric, "updated_at" timestamp with time zone,
            "src_epoch" integer, "src_commit" bigint, "src_lsn" bigint, "src_is_snapshot" boolean,
            committed_at timestamptz)
     where q.feed = 'ad_metrics' and q.released_at is null)
 r
where not is_deleted and "metric_id" = any(%(keys)s::bigint[]);

-- audit: rows and sums by hour of the source
select date_trunc('hour', updated_at, 'UTC'), count(*), sum("impressions"), sum("clicks"), sum("spend"), sum("conversions"),
       sum(('x' || left(encode(sha256(convert_to((jsonb_build_object('metric_id'::text, "metric_id", 'ad_id'::text, "ad_id", 'metric_at'::text, "metric_at",
        'impressions'::text, "impressions", 'clicks'::text, "clicks", 'spend'::text, "spend",
        'conversions'::text, "conversions", 'updated_at'::text, "updated_at") - _missing)::text, 'UTF8')), 'hex'), 8))
           ::bit(32)::bigint)
from
(select "s"."id"::bigint as "metric_id",
        case when "s"."ad_id"::uuid::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ',')))
            then '00000000-0000-0000-0000-000000000000' else "s"."ad_id"::uuid end as "ad_id",
        "s"."timestamp"::timestamp with time zone as "metric_at",
        trim_scale("s"."impressions"::numeric) as "impressions",
        trim_scale("s"."clicks"::numeric) as "clicks", round("s"."spend"::numeric, 4) as "spend",
        trim_scale("s"."conversions"::numeric) as "conversions",
        "s"."updated_at"::timestamp with time zone as "updated_at", false as is_deleted, '{}'::text[] as _missing
 from "promptads"."ad_metrics" as s
 where not "s"."id"::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ','))))
as r
where not is_deleted and updated_at >= %(since)s and updated_at < %(until)s group by 1;

-- audit: keys of some hours of the source
select "metric_id"::text from
(select "s"."id"::bigint as "metric_id",
        case when "s"."ad_id"::uuid::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ',')))
            then '00000000-0000-0000-0000-000000000000' else "s"."ad_id"::uuid end as "ad_id",
        "s"."timestamp"::timestamp with time zone as "metric_at",
        trim_scale("s"."impressions"::numeric) as "impressions",
        trim_scale("s"."clicks"::numeric) as "clicks", round("s"."spend"::numeric, 4) as "spend",
        trim_scale("s"."conversions"::numeric) as "conversions",
        "s"."updated_at"::timestamp with time zone as "updated_at", false as is_deleted, '{}'::text[] as _missing
 from "promptads"."ad_metrics" as s
 where not "s"."id"::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ','))))
as r
where not is_deleted and updated_at >= %s and updated_at < %s
  and date_trunc('hour', updated_at, 'UTC') = any(%s);

-- audit: digests by bucket of the source
select ('x' || left(encode(sha256(convert_to("metric_id"::text, 'UTF8')), 'hex'), 3))::bit(12)::int, count(*), sum(
('x' || left(encode(sha256(convert_to((jsonb_build_object('metric_id'::text, "metric_id", 'ad_id'::text, "ad_id", 'metric_at'::text, "metric_at",
            'impressions'::text, "impressions", 'clicks'::text, "clicks", 'spend'::text, "spend",
            'conversions'::text, "conversions", 'updated_at'::text, "updated_at") - _missing)::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint
)
from
    (select "s"."id"::bigint as "metric_id",
            case when "s"."ad_id"::uuid::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ',')))
                then '00000000-0000-0000-0000-000000000000' else "s"."ad_id"::uuid end as "ad_id",
            "s"."timestamp"::timestamp with time zone as "metric_at",
            trim_scale("s"."impressions"::numeric) as "impressions",
            trim_scale("s"."clicks"::numeric) as "clicks", round("s"."spend"::numeric, 4) as "spend",
            trim_scale("s"."conversions"::numeric) as "conversions",
            "s"."updated_at"::timestamp with time zone as "updated_at", false as is_deleted, '{}'::text[] as _missing
     from "promptads"."ad_metrics" as s
     where not "s"."id"::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ','))))
 r
where not is_deleted
group by 1;

-- audit: digests by key of the source
select "metric_id"::text collate "C" as key,
('x' || left(encode(sha256(convert_to((jsonb_build_object('metric_id'::text, "metric_id", 'ad_id'::text, "ad_id", 'metric_at'::text, "metric_at",
            'impressions'::text, "impressions", 'clicks'::text, "clicks", 'spend'::text, "spend",
            'conversions'::text, "conversions", 'updated_at'::text, "updated_at") - _missing)::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint
as digest, null::timestamptz as changed_at
from
    (select "s"."id"::bigint as "metric_id",
            case when "s"."ad_id"::uuid::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ',')))
                then '00000000-0000-0000-0000-000000000000' else "s"."ad_id"::uuid end as "ad_id",
            "s"."timestamp"::timestamp with time zone as "metric_at",
            trim_scale("s"."impressions"::numeric) as "impressions",
            trim_scale("s"."clicks"::numeric) as "clicks", round("s"."spend"::numeric, 4) as "spend",
            trim_scale("s"."conversions"::numeric) as "conversions",
            "s"."updated_at"::timestamp with time zone as "updated_at", false as is_deleted, '{}'::text[] as _missing
     from "promptads"."ad_metrics" as s
     where not "s"."id"::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ','))))
 r
where not is_deleted and ('x' || left(encode(sha256(convert_to("metric_id"::text, 'UTF8')), 'hex'), 3))::bit(12)::int = any(%(buckets)s)
order by 1;

-- audit: digests of some keys of the source
select "metric_id"::text,
('x' || left(encode(sha256(convert_to((jsonb_build_object('metric_id'::text, "metric_id", 'ad_id'::text, "ad_id", 'metric_at'::text, "metric_at",
            'impressions'::text, "impressions", 'clicks'::text, "clicks", 'spend'::text, "spend",
            'conversions'::text, "conversions", 'updated_at'::text, "updated_at") - _missing)::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint
from
    (select "s"."id"::bigint as "metric_id",
            case when "s"."ad_id"::uuid::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ',')))
                then '00000000-0000-0000-0000-000000000000' else "s"."ad_id"::uuid end as "ad_id",
            "s"."timestamp"::timestamp with time zone as "metric_at",
            trim_scale("s"."impressions"::numeric) as "impressions",
            trim_scale("s"."clicks"::numeric) as "clicks", round("s"."spend"::numeric, 4) as "spend",
            trim_scale("s"."conversions"::numeric) as "conversions",
            "s"."updated_at"::timestamp with time zone as "updated_at", false as is_deleted, '{}'::text[] as _missing
     from "promptads"."ad_metrics" as s
     where not "s"."id"::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ','))))
 r
where not is_deleted and "metric_id" = any(%(keys)s::bigint[]);

-- audit: rows by key of the warehouse
select "metric_id"::text, to_jsonb("metric_id"), case when not is_deleted then (jsonb_build_object('metric_id'::text, "metric_id", 'ad_id'::text, "ad_id", 'metric_at'::text, "metric_at",
        'impressions'::text, "impressions", 'clicks'::text, "clicks", 'spend'::text, "spend",
        'conversions'::text, "conversions", 'updated_at'::text, "updated_at") - _missing)::text end,
       "r"."src_epoch", "r"."src_commit", "r"."src_lsn", "r"."src_is_snapshot"
from
(select "t"."metric_id"::bigint as "metric_id", "t"."ad_id"::uuid as "ad_id",
        "t"."metric_at"::timestamp with time zone as "metric_at",
        trim_scale("t"."impressions"::numeric) as "impressions",
        trim_scale("t"."clicks"::numeric) as "clicks", round("t"."spend"::numeric, 4) as "spend",
        trim_scale("t"."conversions"::numeric) as "conversions",
        "t"."updated_at"::timestamp with time zone as "updated_at", t.is_deleted, '{}'::text[] as _missing, "t"."src_epoch", "t"."src_commit", "t"."src_lsn", "t"."src_is_snapshot"
 from "core"."ad_metrics" t
 where not exists (
     select from ops.quarantine q where q.feed = 'ad_metrics' and q.key = t."metric_id"::text and q.released_at is null
 )
 union all
 select "x"."metric_id"::bigint as "metric_id", "x"."ad_id"::uuid as "ad_id",
        "x"."metric_at"::timestamp with time zone as "metric_at",
        trim_scale("x"."impressions"::numeric) as "impressions",
        trim_scale("x"."clicks"::numeric) as "clicks", round("x"."spend"::numeric, 4) as "spend",
        trim_scale("x"."conversions"::numeric) as "conversions",
        "x"."updated_at"::timestamp with time zone as "updated_at", false, array_remove(array[case when not q.payload ? 'metric_id' then 'metric_id' end,
        case when not q.payload ? 'ad_id' then 'ad_id' end,
        case when not q.payload ? 'metric_at' then 'metric_at' end,
        case when not q.payload ? 'impressions' then 'impressions' end,
        case when not q.payload ? 'clicks' then 'clicks' end,
        case when not q.payload ? 'spend' then 'spend' end,
        case when not q.payload ? 'conversions' then 'conversions' end,
        case when not q.payload ? 'updated_at' then 'updated_at' end]::text[], null), "x"."src_epoch", "x"."src_commit", "x"."src_lsn", "x"."src_is_snapshot"
 from ops.quarantine q cross join lateral jsonb_to_record(q.payload) as x("metric_id" bigint, "ad_id" uuid, "metric_at" timestamp with time zone, "impressions" numeric,
        "clicks" numeric, "spend" numeric, "conversions" numeric, "updated_at" timestamp with time zone,
        "src_epoch" integer, "src_commit" bigint, "src_lsn" bigint, "src_is_snapshot" boolean,
        committed_at timestamptz)
 where q.feed = 'ad_metrics' and q.released_at is null)
as r where "metric_id" = any(%s::bigint[]);

-- audit: rows by key of the source
select "metric_id"::text, to_jsonb("metric_id"), (jsonb_build_object('metric_id'::text, "metric_id", 'ad_id'::text, "ad_id", 'metric_at'::text, "metric_at",
        'impressions'::text, "impressions", 'clicks'::text, "clicks", 'spend'::text, "spend",
        'conversions'::text, "conversions", 'updated_at'::text, "updated_at") - _missing)::text, jsonb_build_object('id'::text, "metric_id", 'ad_id'::text, "ad_id", 'timestamp'::text, "metric_at",
        'impressions'::text, "impressions", 'clicks'::text, "clicks", 'spend'::text, "spend"::text,
        'conversions'::text, "conversions", 'updated_at'::text, "updated_at")
from
(select "s"."id"::bigint as "metric_id",
        case when "s"."ad_id"::uuid::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ',')))
            then '00000000-0000-0000-0000-000000000000' else "s"."ad_id"::uuid end as "ad_id",
        "s"."timestamp"::timestamp with time zone as "metric_at",
        trim_scale("s"."impressions"::numeric) as "impressions",
        trim_scale("s"."clicks"::numeric) as "clicks", round("s"."spend"::numeric, 4) as "spend",
        trim_scale("s"."conversions"::numeric) as "conversions",
        "s"."updated_at"::timestamp with time zone as "updated_at", false as is_deleted, '{}'::text[] as _missing
 from "promptads"."ad_metrics" as s
 where not "s"."id"::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ','))))
as r where "metric_id" = any(%s::bigint[]);

-- erase: touch the days of rows that name a person
insert into ops.touched (core_table, entity_id, day)
            select distinct %(feed)s, e.entity, (d.moment at time zone 'UTC')::date
    from "core"."ad_metrics" t cross join unnest(array["t"."ad_id"::text]) e(entity) cross join unnest(array["t"."metric_at"]) d(moment)
    where (exists (select from unnest(%(needles)s::text[]) needle where position(needle in lower((t.*)::text)) > 0)) and d.moment is not null and e.entity is not null
            on conflict (core_table, entity_id, day) do update set touched_at = clock_timestamp();
