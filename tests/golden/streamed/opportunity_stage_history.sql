-- Written by `python -m tests.golden` from warehouse/core/opportunity_stage_history; do not edit.
-- The statements are as psycopg gets them: %(name)s and %s stand for parameters, %% for a percent sign.

-- provision: its part of the publication, which has other tables too
alter publication "promptcrm" set table "crm"."opportunity_stage_history" ("id", "opportunity_id", "from_stage_id", "to_stage_id", "amount_at_change", "changed_by_user_id",
                "changed_at", "created_at", "updated_at");

-- provision: what Debezium's role may read
grant usage on schema "crm" to "cdc", "etl_audit";
revoke select on "crm"."opportunity_stage_history" from "cdc", "etl_audit";
grant select ("id", "opportunity_id", "from_stage_id", "to_stage_id", "amount_at_change", "changed_by_user_id",
        "changed_at", "created_at", "updated_at") on "crm"."opportunity_stage_history" to "cdc", "etl_audit";

-- apply: the newest known versions
with kept as (
    select to_jsonb("change_id"), jsonb_build_object('id'::text, "change_id", 'opportunity_id'::text, "opportunity_id",
        'from_stage_id'::text, "from_stage_id", 'to_stage_id'::text, "to_stage_id",
        'amount_at_change'::text, "amount_at_change"::text, 'changed_by_user_id'::text, "changed_by_user_id",
        'changed_at'::text, "changed_at", 'created_at'::text, "created_at", 'updated_at'::text, "updated_at"), is_deleted, "t"."src_epoch", "t"."src_commit", "t"."src_lsn", "t"."src_is_snapshot", _loaded_at, '{}'::text[]
    from "core"."opportunity_stage_history" t where "change_id" = any(%(keys)s::bigint[]) order by "change_id" for update
), open as (
    select payload as _payload, last_tried_at as _tried_at, rules as _rules from ops.quarantine
    where feed = 'opportunity_stage_history' and key = any(%(keys)s::text[]) and released_at is null order by key for update
), held as (
    select to_jsonb("change_id"), jsonb_build_object('id'::text, "change_id", 'opportunity_id'::text, "opportunity_id",
        'from_stage_id'::text, "from_stage_id", 'to_stage_id'::text, "to_stage_id",
        'amount_at_change'::text, "amount_at_change"::text, 'changed_by_user_id'::text, "changed_by_user_id",
        'changed_at'::text, "changed_at", 'created_at'::text, "created_at", 'updated_at'::text, "updated_at") - array_remove(array[case when not _payload ? 'change_id' then 'id' end,
        case when not _payload ? 'opportunity_id' then 'opportunity_id' end,
        case when not _payload ? 'from_stage_id' then 'from_stage_id' end,
        case when not _payload ? 'to_stage_id' then 'to_stage_id' end,
        case when not _payload ? 'amount_at_change' then 'amount_at_change' end,
        case when not _payload ? 'changed_by_user_id' then 'changed_by_user_id' end,
        case when not _payload ? 'changed_at' then 'changed_at' end,
        case when not _payload ? 'created_at' then 'created_at' end,
        case when not _payload ? 'updated_at' then 'updated_at' end]::text[], null), false, "x"."src_epoch", "x"."src_commit", "x"."src_lsn", "x"."src_is_snapshot", _tried_at, _rules
    from open cross join lateral jsonb_to_record(_payload) as x("change_id" bigint, "opportunity_id" uuid, "from_stage_id" uuid, "to_stage_id" uuid,
        "amount_at_change" numeric, "changed_by_user_id" uuid, "changed_at" timestamp with time zone,
        "created_at" timestamp with time zone, "updated_at" timestamp with time zone,
        "src_epoch" integer, "src_commit" bigint, "src_lsn" bigint, "src_is_snapshot" boolean,
        committed_at timestamptz)
)
select * from kept union all select * from held;

-- apply: upsert into core.opportunity_stage_history
with src as (
select "x"."id" as "change_id",
        case when "x"."opportunity_id"::text in (select key from ops.suppression where length(key) >= 16)
            then '00000000-0000-0000-0000-000000000000' else "x"."opportunity_id" end as "opportunity_id",
        case when "x"."from_stage_id"::text in (select key from ops.suppression where length(key) >= 16)
            then '00000000-0000-0000-0000-000000000000' else "x"."from_stage_id" end as "from_stage_id",
        case when "x"."to_stage_id"::text in (select key from ops.suppression where length(key) >= 16)
            then '00000000-0000-0000-0000-000000000000' else "x"."to_stage_id" end as "to_stage_id",
        "x"."amount_at_change" as "amount_at_change",
        case when "x"."changed_by_user_id"::text in (select key from ops.suppression where length(key) >= 16)
            then '00000000-0000-0000-0000-000000000000' else "x"."changed_by_user_id" end as "changed_by_user_id",
        "x"."changed_at" as "changed_at", "x"."created_at" as "created_at", "x"."updated_at" as "updated_at",
        "x"."promptsales_is_deleted" as "is_deleted", "x"."promptsales_src_epoch" as "src_epoch",
        "x"."promptsales_src_commit" as "src_commit", "x"."promptsales_src_lsn" as "src_lsn",
        "x"."promptsales_src_is_snapshot" as "src_is_snapshot",
        "x"."promptsales_committed_at" as "committed_at"
from json_to_recordset(%(rows)s::json) as x("id" bigint, "opportunity_id" uuid, "from_stage_id" uuid, "to_stage_id" uuid,
        "amount_at_change" numeric(14,2), "changed_by_user_id" uuid, "changed_at" timestamp with time zone,
        "created_at" timestamp with time zone, "updated_at" timestamp with time zone,
        "promptsales_is_deleted" boolean, "promptsales_src_epoch" integer, "promptsales_src_commit" bigint,
        "promptsales_src_lsn" bigint, "promptsales_src_is_snapshot" boolean,
        "promptsales_committed_at" timestamptz)
where not "x"."id"::text in (select key from ops.suppression where length(key) >= 16) and ("x"."promptsales_is_deleted" or not exists (
    select from ops.truncation d where d.feed = 'opportunity_stage_history' and ("x"."promptsales_src_epoch", "x"."promptsales_src_commit", not "x"."promptsales_src_is_snapshot", "x"."promptsales_src_lsn") < ("d"."src_epoch", "d"."src_commit", not false, "d"."src_lsn")
))
),
up as (
    insert into "core"."opportunity_stage_history" as t ("change_id", "opportunity_id", "from_stage_id", "to_stage_id", "amount_at_change",
        "changed_by_user_id", "changed_at", "created_at", "updated_at", "is_deleted", "src_epoch", "src_commit", "src_lsn", "src_is_snapshot", _loaded_at)
    select "change_id", "opportunity_id", "from_stage_id", "to_stage_id", "amount_at_change",
        "changed_by_user_id", "changed_at", "created_at", "updated_at", "is_deleted", "src_epoch", "src_commit", "src_lsn", "src_is_snapshot", clock_timestamp() from src order by "change_id"
    on conflict ("change_id") do update
    set "opportunity_id" = case when excluded.is_deleted then t."opportunity_id" else excluded."opportunity_id" end,
        "from_stage_id" = case when excluded.is_deleted then t."from_stage_id" else excluded."from_stage_id" end,
        "to_stage_id" = case when excluded.is_deleted then t."to_stage_id" else excluded."to_stage_id" end,
        "amount_at_change" = case when excluded.is_deleted then t."amount_at_change" else excluded."amount_at_change" end,
        "changed_by_user_id" = case when excluded.is_deleted then t."changed_by_user_id" else excluded."changed_by_user_id" end,
        "changed_at" = case when excluded.is_deleted then t."changed_at" else excluded."changed_at" end,
        "created_at" = case when excluded.is_deleted then t."created_at" else excluded."created_at" end,
        "updated_at" = case when excluded.is_deleted then t."updated_at" else excluded."updated_at" end, "is_deleted" = excluded."is_deleted", "src_epoch" = excluded."src_epoch",
        "src_commit" = excluded."src_commit", "src_lsn" = excluded."src_lsn",
        "src_is_snapshot" = excluded."src_is_snapshot", _loaded_at = excluded._loaded_at
    where ("t"."src_epoch", "t"."src_commit", not "t"."src_is_snapshot", "t"."src_lsn") < ("excluded"."src_epoch", "excluded"."src_commit", not "excluded"."src_is_snapshot", "excluded"."src_lsn")
    returning "old"."opportunity_id" as "old_opportunity_id", "old"."changed_at" as "old_changed_at",
        "new"."opportunity_id" as "new_opportunity_id", "new"."changed_at" as "new_changed_at"
), touched as (
    insert into ops.touched (core_table, entity_id, day)
    select 'opportunity_stage_history', entity::text, (day at time zone 'UTC')::date
    from (select "old_opportunity_id", "old_changed_at" from up union select "new_opportunity_id", "new_changed_at" from up) x(entity, day)
    where entity is not null and day is not null
    group by 1, 2, 3 order by 1, 2, 3
    on conflict (core_table, entity_id, day) do update set touched_at = clock_timestamp()
)
select count(*) from up;

-- apply: move bad versions to quarantine
with src as (
select "x"."id" as "change_id",
        case when "x"."opportunity_id"::text in (select key from ops.suppression where length(key) >= 16)
            then '00000000-0000-0000-0000-000000000000' else "x"."opportunity_id" end as "opportunity_id",
        case when "x"."from_stage_id"::text in (select key from ops.suppression where length(key) >= 16)
            then '00000000-0000-0000-0000-000000000000' else "x"."from_stage_id" end as "from_stage_id",
        case when "x"."to_stage_id"::text in (select key from ops.suppression where length(key) >= 16)
            then '00000000-0000-0000-0000-000000000000' else "x"."to_stage_id" end as "to_stage_id",
        "x"."amount_at_change" as "amount_at_change",
        case when "x"."changed_by_user_id"::text in (select key from ops.suppression where length(key) >= 16)
            then '00000000-0000-0000-0000-000000000000' else "x"."changed_by_user_id" end as "changed_by_user_id",
        "x"."changed_at" as "changed_at", "x"."created_at" as "created_at", "x"."updated_at" as "updated_at",
        "x"."promptsales_is_deleted" as "is_deleted", "x"."promptsales_src_epoch" as "src_epoch",
        "x"."promptsales_src_commit" as "src_commit", "x"."promptsales_src_lsn" as "src_lsn",
        "x"."promptsales_src_is_snapshot" as "src_is_snapshot",
        "x"."promptsales_committed_at" as "committed_at"
from json_to_recordset(%(rows)s::json) as x("id" bigint, "opportunity_id" uuid, "from_stage_id" uuid, "to_stage_id" uuid,
        "amount_at_change" numeric(14,2), "changed_by_user_id" uuid, "changed_at" timestamp with time zone,
        "created_at" timestamp with time zone, "updated_at" timestamp with time zone,
        "promptsales_is_deleted" boolean, "promptsales_src_epoch" integer, "promptsales_src_commit" bigint,
        "promptsales_src_lsn" bigint, "promptsales_src_is_snapshot" boolean,
        "promptsales_committed_at" timestamptz)
where not "x"."id"::text in (select key from ops.suppression where length(key) >= 16) and ("x"."promptsales_is_deleted" or not exists (
    select from ops.truncation d where d.feed = 'opportunity_stage_history' and ("x"."promptsales_src_epoch", "x"."promptsales_src_commit", not "x"."promptsales_src_is_snapshot", "x"."promptsales_src_lsn") < ("d"."src_epoch", "d"."src_commit", not false, "d"."src_lsn")
))
),
judged as (
    select s.*, r.rules as _rules, r.missing as _missing from src s
    join json_to_recordset(%(broken)s::json) as r(key text, rules text[], missing text[])
      on r.key = s."change_id"::text
)
insert into ops.quarantine as q (feed, key, extraction, rules, suite_checksum, payload, is_core_stale)
select 'opportunity_stage_history', j."change_id"::text, j.src_lsn, j._rules, %(suite_checksum)s,
       to_jsonb(j.*) - '{_rules,_missing}'::text[] - j._missing,
       exists (select from "core"."opportunity_stage_history" t where t."change_id" = j."change_id")
from judged j
where not exists (
    select from "core"."opportunity_stage_history" t where t."change_id" = j."change_id"
      and ("t"."src_epoch", "t"."src_commit", not "t"."src_is_snapshot", "t"."src_lsn") >= ("j"."src_epoch", "j"."src_commit", not "j"."src_is_snapshot", "j"."src_lsn")
)
order by j."change_id"
on conflict (feed, key) where released_at is null do update
set extraction = excluded.extraction, rules = excluded.rules, suite_checksum = excluded.suite_checksum,
    payload = excluded.payload, is_core_stale = excluded.is_core_stale, is_waived = false,
    last_tried_at = clock_timestamp(), tries = q.tries + 1
where ((q.payload->>'src_epoch')::integer, (q.payload->>'src_commit')::bigint, not (q.payload->>'src_is_snapshot')::boolean, (q.payload->>'src_lsn')::bigint) < ((excluded.payload->>'src_epoch')::integer, (excluded.payload->>'src_commit')::bigint, not (excluded.payload->>'src_is_snapshot')::boolean, (excluded.payload->>'src_lsn')::bigint);

-- apply: release rows from quarantine
update ops.quarantine q
set released_at = clock_timestamp(), release_reason = case when q.is_waived then 'waived' else 'repaired' end
from "core"."opportunity_stage_history" t
where q.feed = 'opportunity_stage_history' and q.released_at is null and q.key = any(%(keys)s::text[]) and q.key = t."change_id"::text
  and t."change_id" = any(%(keys)s::bigint[])
  and ((q.payload->>'src_epoch')::integer, (q.payload->>'src_commit')::bigint, not (q.payload->>'src_is_snapshot')::boolean, (q.payload->>'src_lsn')::bigint) <= ("t"."src_epoch", "t"."src_commit", not "t"."src_is_snapshot", "t"."src_lsn");

-- repair: let the same version replace a row
update "core"."opportunity_stage_history" t set src_lsn = src_lsn - 1 where "change_id" = %(key)s::bigint and ("t"."src_epoch", "t"."src_commit", not "t"."src_is_snapshot", "t"."src_lsn") = (%(epoch)s, %(commit)s, not %(is_snapshot)s, %(lsn)s);

-- repair: let the same version replace a payload
update ops.quarantine q set payload = payload || jsonb_build_object('src_lsn', %(lsn)s::bigint - 1)
where feed = 'opportunity_stage_history' and key = (%(key)s::bigint)::text and released_at is null
  and ((q.payload->>'src_epoch')::integer, (q.payload->>'src_commit')::bigint, not (q.payload->>'src_is_snapshot')::boolean, (q.payload->>'src_lsn')::bigint) = (%(epoch)s, %(commit)s, not %(is_snapshot)s, %(lsn)s);

-- repair: set a row aside that the table cannot hold
insert into ops.quarantine as q (feed, key, extraction, rules, suite_checksum, payload, is_core_stale)
select 'opportunity_stage_history', k.key::text, %(lsn)s, array[%(rule)s], %(suite_checksum)s,
       k.payload || jsonb_strip_nulls(jsonb_build_object('opportunity_id'::text, case when ("k"."payload" ->> 'opportunity_id')::text in (select key from ops.suppression where length(key) >= 16)
            then '00000000-0000-0000-0000-000000000000' else ("k"."payload" ->> 'opportunity_id') end,
        'from_stage_id'::text, case when ("k"."payload" ->> 'from_stage_id')::text in (select key from ops.suppression where length(key) >= 16)
            then '00000000-0000-0000-0000-000000000000' else ("k"."payload" ->> 'from_stage_id') end,
        'to_stage_id'::text, case when ("k"."payload" ->> 'to_stage_id')::text in (select key from ops.suppression where length(key) >= 16)
            then '00000000-0000-0000-0000-000000000000' else ("k"."payload" ->> 'to_stage_id') end,
        'changed_by_user_id'::text, case when ("k"."payload" ->> 'changed_by_user_id')::text in (select key from ops.suppression where length(key) >= 16)
            then '00000000-0000-0000-0000-000000000000' else ("k"."payload" ->> 'changed_by_user_id') end)) || jsonb_build_object(
           'src_epoch', %(epoch)s::integer, 'src_commit', %(commit)s::bigint, 'src_lsn', %(lsn)s::bigint,
           'src_is_snapshot', %(is_snapshot)s, 'is_deleted', false),
       exists (select from "core"."opportunity_stage_history" t where t."change_id" = k.key)
from (select %(key)s::bigint, %(values)s::jsonb) as k(key, payload)
where not "k"."key"::text in (select key from ops.suppression where length(key) >= 16) and not exists (
    select from "core"."opportunity_stage_history" t where t."change_id" = k.key
      and ("t"."src_epoch", "t"."src_commit", not "t"."src_is_snapshot", "t"."src_lsn") > (%(epoch)s, %(commit)s, not %(is_snapshot)s, %(lsn)s)
)
on conflict (feed, key) where released_at is null do update
set extraction = excluded.extraction, rules = excluded.rules, suite_checksum = excluded.suite_checksum,
    payload = excluded.payload, is_core_stale = excluded.is_core_stale, is_waived = false,
    last_tried_at = clock_timestamp(), tries = q.tries + 1
where ((q.payload->>'src_epoch')::integer, (q.payload->>'src_commit')::bigint, not (q.payload->>'src_is_snapshot')::boolean, (q.payload->>'src_lsn')::bigint) <= (%(epoch)s, %(commit)s, not %(is_snapshot)s, %(lsn)s);

-- truncate: keys that are older than a TRUNCATE
select to_jsonb(t."change_id") from "core"."opportunity_stage_history" t
where not t.is_deleted and ("t"."src_epoch", "t"."src_commit", not "t"."src_is_snapshot", "t"."src_lsn") < (%(epoch)s, %(commit)s, not %(is_snapshot)s, %(lsn)s)
union
select q.payload->'change_id' from ops.quarantine q
where q.feed = 'opportunity_stage_history' and q.released_at is null and ((q.payload->>'src_epoch')::integer, (q.payload->>'src_commit')::bigint, not (q.payload->>'src_is_snapshot')::boolean, (q.payload->>'src_lsn')::bigint) < (%(epoch)s, %(commit)s, not %(is_snapshot)s, %(lsn)s);

-- sweep: keys of earlier epochs
with waiting as (
    select key, max((payload->>'src_epoch')::integer) as epoch from ops.quarantine
    where feed = 'opportunity_stage_history' and released_at is null group by key
)
select to_jsonb(t."change_id") from "core"."opportunity_stage_history" t left join waiting w on w.key = t."change_id"::text
where t.src_epoch < 7 and not t.is_deleted and coalesce(w.epoch, 0) < 7
union
select q.payload->'change_id' from ops.quarantine q join waiting w using (key)
where q.feed = 'opportunity_stage_history' and q.released_at is null and w.epoch < 7
  and not exists (select from "core"."opportunity_stage_history" t where t."change_id"::text = q.key and t.src_epoch >= 7);

-- sweep: which of some keys the source has
select "id"::text from "crm"."opportunity_stage_history" where "id" = any(%s::bigint[]);

-- waive: lock the row
select from "core"."opportunity_stage_history" t where t."change_id" = (
    select key::bigint from ops.quarantine where quarantine_id = %(id)s and feed = 'opportunity_stage_history'
) for update;

-- waive: release the row of quarantine
with held as (
    update ops.quarantine set is_waived = true
    where quarantine_id = %(id)s and feed = 'opportunity_stage_history' and released_at is null
    returning payload as _payload, last_tried_at as _last_tried_at
)
select to_jsonb("change_id"), jsonb_build_object('id'::text, "change_id", 'opportunity_id'::text, "opportunity_id",
        'from_stage_id'::text, "from_stage_id", 'to_stage_id'::text, "to_stage_id",
        'amount_at_change'::text, "amount_at_change"::text, 'changed_by_user_id'::text, "changed_by_user_id",
        'changed_at'::text, "changed_at", 'created_at'::text, "created_at", 'updated_at'::text, "updated_at") - array_remove(array[case when not _payload ? 'change_id' then 'id' end,
        case when not _payload ? 'opportunity_id' then 'opportunity_id' end,
        case when not _payload ? 'from_stage_id' then 'from_stage_id' end,
        case when not _payload ? 'to_stage_id' then 'to_stage_id' end,
        case when not _payload ? 'amount_at_change' then 'amount_at_change' end,
        case when not _payload ? 'changed_by_user_id' then 'changed_by_user_id' end,
        case when not _payload ? 'changed_at' then 'changed_at' end,
        case when not _payload ? 'created_at' then 'created_at' end,
        case when not _payload ? 'updated_at' then 'updated_at' end]::text[], null), "x"."src_epoch", "x"."src_commit", "x"."src_lsn", "x"."src_is_snapshot",
       coalesce(committed_at, _last_tried_at)
from held cross join lateral jsonb_to_record(_payload) as x("change_id" bigint, "opportunity_id" uuid, "from_stage_id" uuid, "to_stage_id" uuid,
        "amount_at_change" numeric, "changed_by_user_id" uuid, "changed_at" timestamp with time zone,
        "created_at" timestamp with time zone, "updated_at" timestamp with time zone,
        "src_epoch" integer, "src_commit" bigint, "src_lsn" bigint, "src_is_snapshot" boolean,
        committed_at timestamptz);

-- judge again: open rows of quarantine
select _id, to_jsonb("change_id"), jsonb_build_object('id'::text, "change_id", 'opportunity_id'::text, "opportunity_id",
        'from_stage_id'::text, "from_stage_id", 'to_stage_id'::text, "to_stage_id",
        'amount_at_change'::text, "amount_at_change"::text, 'changed_by_user_id'::text, "changed_by_user_id",
        'changed_at'::text, "changed_at", 'created_at'::text, "created_at", 'updated_at'::text, "updated_at") - array_remove(array[case when not _payload ? 'change_id' then 'id' end,
        case when not _payload ? 'opportunity_id' then 'opportunity_id' end,
        case when not _payload ? 'from_stage_id' then 'from_stage_id' end,
        case when not _payload ? 'to_stage_id' then 'to_stage_id' end,
        case when not _payload ? 'amount_at_change' then 'amount_at_change' end,
        case when not _payload ? 'changed_by_user_id' then 'changed_by_user_id' end,
        case when not _payload ? 'changed_at' then 'changed_at' end,
        case when not _payload ? 'created_at' then 'created_at' end,
        case when not _payload ? 'updated_at' then 'updated_at' end]::text[], null), _payload::text, "x"."src_epoch", "x"."src_commit", "x"."src_lsn", "x"."src_is_snapshot",
       coalesce(committed_at, _tried_at), clock_timestamp(), _rules, _checksum
from (
    select quarantine_id as _id, payload as _payload, rules as _rules, suite_checksum as _checksum,
           last_tried_at as _tried_at
    from ops.quarantine
    where feed = 'opportunity_stage_history' and released_at is null and quarantine_id > %(after)s and not (
        rules <@ %(refused)s and suite_checksum = %(checksum)s
        and last_tried_at > clock_timestamp() - interval '1 day'
    )
    order by quarantine_id limit %(rows)s
) q cross join lateral jsonb_to_record(_payload) as x("change_id" bigint, "opportunity_id" uuid, "from_stage_id" uuid, "to_stage_id" uuid,
        "amount_at_change" numeric, "changed_by_user_id" uuid, "changed_at" timestamp with time zone,
        "created_at" timestamp with time zone, "updated_at" timestamp with time zone,
        "src_epoch" integer, "src_commit" bigint, "src_lsn" bigint, "src_is_snapshot" boolean,
        committed_at timestamptz)
order by _id;

-- check: the living rows
select * from "core"."opportunity_stage_history" t where not is_deleted;

-- check: the living rows that were loaded since a time
select * from "core"."opportunity_stage_history" t where not is_deleted
    and _loaded_at >= '2026-01-02 03:04:05+00:00'::timestamptz and not exists (
        select from ops.quarantine q
        where q.feed = 'opportunity_stage_history' and q.key = t."change_id"::text and q.release_reason = 'waived'
          and ((q.payload->>'src_epoch')::integer, (q.payload->>'src_lsn')::bigint,
               (q.payload->>'src_is_snapshot')::boolean) = (t.src_epoch, t.src_lsn, t.src_is_snapshot)
    );

-- audit: whether anything has come since a time
select exists (select from ops.stream_offset where topic = %(topic)s and applied_at > %(since)s)
    or exists (select from "core"."opportunity_stage_history" where _loaded_at > %(since)s);

-- audit: rows and sums by hour of the warehouse
select date_trunc('hour', updated_at, 'UTC'), count(*), sum("amount_at_change"),
       sum(('x' || left(encode(sha256(convert_to((jsonb_build_object('change_id'::text, "change_id", 'opportunity_id'::text, "opportunity_id",
        'from_stage_id'::text, "from_stage_id", 'to_stage_id'::text, "to_stage_id",
        'amount_at_change'::text, "amount_at_change", 'changed_by_user_id'::text, "changed_by_user_id",
        'changed_at'::text, "changed_at", 'created_at'::text, "created_at", 'updated_at'::text, "updated_at") - _missing)::text, 'UTF8')), 'hex'), 8))
           ::bit(32)::bigint)
from
(select "t"."change_id"::bigint as "change_id", "t"."opportunity_id"::uuid as "opportunity_id",
        "t"."from_stage_id"::uuid as "from_stage_id", "t"."to_stage_id"::uuid as "to_stage_id",
        round("t"."amount_at_change"::numeric, 2) as "amount_at_change",
        "t"."changed_by_user_id"::uuid as "changed_by_user_id",
        "t"."changed_at"::timestamp with time zone as "changed_at",
        "t"."created_at"::timestamp with time zone as "created_at",
        "t"."updated_at"::timestamp with time zone as "updated_at", t.is_deleted, '{}'::text[] as _missing, "t"."src_epoch", "t"."src_commit", "t"."src_lsn", "t"."src_is_snapshot"
 from "core"."opportunity_stage_history" t
 where not exists (
     select from ops.quarantine q where q.feed = 'opportunity_stage_history' and q.key = t."change_id"::text and q.released_at is null
 )
 union all
 select "x"."change_id"::bigint as "change_id", "x"."opportunity_id"::uuid as "opportunity_id",
        "x"."from_stage_id"::uuid as "from_stage_id", "x"."to_stage_id"::uuid as "to_stage_id",
        round("x"."amount_at_change"::numeric, 2) as "amount_at_change",
        "x"."changed_by_user_id"::uuid as "changed_by_user_id",
        "x"."changed_at"::timestamp with time zone as "changed_at",
        "x"."created_at"::timestamp with time zone as "created_at",
        "x"."updated_at"::timestamp with time zone as "updated_at", false, array_remove(array[case when not q.payload ? 'change_id' then 'change_id' end,
        case when not q.payload ? 'opportunity_id' then 'opportunity_id' end,
        case when not q.payload ? 'from_stage_id' then 'from_stage_id' end,
        case when not q.payload ? 'to_stage_id' then 'to_stage_id' end,
        case when not q.payload ? 'amount_at_change' then 'amount_at_change' end,
        case when not q.payload ? 'changed_by_user_id' then 'changed_by_user_id' end,
        case when not q.payload ? 'changed_at' then 'changed_at' end,
        case when not q.payload ? 'created_at' then 'created_at' end,
        case when not q.payload ? 'updated_at' then 'updated_at' end]::text[], null), "x"."src_epoch", "x"."src_commit", "x"."src_lsn", "x"."src_is_snapshot"
 from ops.quarantine q cross join lateral jsonb_to_record(q.payload) as x("change_id" bigint, "opportunity_id" uuid, "from_stage_id" uuid, "to_stage_id" uuid,
        "amount_at_change" numeric, "changed_by_user_id" uuid, "changed_at" timestamp with time zone,
        "created_at" timestamp with time zone, "updated_at" timestamp with time zone,
        "src_epoch" integer, "src_commit" bigint, "src_lsn" bigint, "src_is_snapshot" boolean,
        committed_at timestamptz)
 where q.feed = 'opportunity_stage_history' and q.released_at is null)
as r
where not is_deleted and updated_at >= %(since)s and updated_at < %(until)s group by 1;

-- audit: keys of some hours of the warehouse
select "change_id"::text from
(select "t"."change_id"::bigint as "change_id", "t"."opportunity_id"::uuid as "opportunity_id",
        "t"."from_stage_id"::uuid as "from_stage_id", "t"."to_stage_id"::uuid as "to_stage_id",
        round("t"."amount_at_change"::numeric, 2) as "amount_at_change",
        "t"."changed_by_user_id"::uuid as "changed_by_user_id",
        "t"."changed_at"::timestamp with time zone as "changed_at",
        "t"."created_at"::timestamp with time zone as "created_at",
        "t"."updated_at"::timestamp with time zone as "updated_at", t.is_deleted, '{}'::text[] as _missing, "t"."src_epoch", "t"."src_commit", "t"."src_lsn", "t"."src_is_snapshot"
 from "core"."opportunity_stage_history" t
 where not exists (
     select from ops.quarantine q where q.feed = 'opportunity_stage_history' and q.key = t."change_id"::text and q.released_at is null
 )
 union all
 select "x"."change_id"::bigint as "change_id", "x"."opportunity_id"::uuid as "opportunity_id",
        "x"."from_stage_id"::uuid as "from_stage_id", "x"."to_stage_id"::uuid as "to_stage_id",
        round("x"."amount_at_change"::numeric, 2) as "amount_at_change",
        "x"."changed_by_user_id"::uuid as "changed_by_user_id",
        "x"."changed_at"::timestamp with time zone as "changed_at",
        "x"."created_at"::timestamp with time zone as "created_at",
        "x"."updated_at"::timestamp with time zone as "updated_at", false, array_remove(array[case when not q.payload ? 'change_id' then 'change_id' end,
        case when not q.payload ? 'opportunity_id' then 'opportunity_id' end,
        case when not q.payload ? 'from_stage_id' then 'from_stage_id' end,
        case when not q.payload ? 'to_stage_id' then 'to_stage_id' end,
        case when not q.payload ? 'amount_at_change' then 'amount_at_change' end,
        case when not q.payload ? 'changed_by_user_id' then 'changed_by_user_id' end,
        case when not q.payload ? 'changed_at' then 'changed_at' end,
        case when not q.payload ? 'created_at' then 'created_at' end,
        case when not q.payload ? 'updated_at' then 'updated_at' end]::text[], null), "x"."src_epoch", "x"."src_commit", "x"."src_lsn", "x"."src_is_snapshot"
 from ops.quarantine q cross join lateral jsonb_to_record(q.payload) as x("change_id" bigint, "opportunity_id" uuid, "from_stage_id" uuid, "to_stage_id" uuid,
        "amount_at_change" numeric, "changed_by_user_id" uuid, "changed_at" timestamp with time zone,
        "created_at" timestamp with time zone, "updated_at" timestamp with time zone,
        "src_epoch" integer, "src_commit" bigint, "src_lsn" bigint, "src_is_snapshot" boolean,
        committed_at timestamptz)
 where q.feed = 'opportunity_stage_history' and q.released_at is null)
as r
where not is_deleted and updated_at >= %s and updated_at < %s
  and date_trunc('hour', updated_at, 'UTC') = any(%s);

-- audit: digests by bucket of the warehouse
select ('x' || left(encode(sha256(convert_to("change_id"::text, 'UTF8')), 'hex'), 3))::bit(12)::int, count(*), sum(
('x' || left(encode(sha256(convert_to((jsonb_build_object('change_id'::text, "change_id", 'opportunity_id'::text, "opportunity_id",
            'from_stage_id'::text, "from_stage_id", 'to_stage_id'::text, "to_stage_id",
            'amount_at_change'::text, "amount_at_change", 'changed_by_user_id'::text, "changed_by_user_id",
            'changed_at'::text, "changed_at", 'created_at'::text, "created_at", 'updated_at'::text, "updated_at") - _missing)::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint
)
from
    (select "t"."change_id"::bigint as "change_id", "t"."opportunity_id"::uuid as "opportunity_id",
            "t"."from_stage_id"::uuid as "from_stage_id", "t"."to_stage_id"::uuid as "to_stage_id",
            round("t"."amount_at_change"::numeric, 2) as "amount_at_change",
            "t"."changed_by_user_id"::uuid as "changed_by_user_id",
            "t"."changed_at"::timestamp with time zone as "changed_at",
            "t"."created_at"::timestamp with time zone as "created_at",
            "t"."updated_at"::timestamp with time zone as "updated_at", t.is_deleted, '{}'::text[] as _missing, "t"."src_epoch", "t"."src_commit", "t"."src_lsn", "t"."src_is_snapshot"
     from "core"."opportunity_stage_history" t
     where not exists (
         select from ops.quarantine q where q.feed = 'opportunity_stage_history' and q.key = t."change_id"::text and q.released_at is null
     )
     union all
     select "x"."change_id"::bigint as "change_id", "x"."opportunity_id"::uuid as "opportunity_id",
            "x"."from_stage_id"::uuid as "from_stage_id", "x"."to_stage_id"::uuid as "to_stage_id",
            round("x"."amount_at_change"::numeric, 2) as "amount_at_change",
            "x"."changed_by_user_id"::uuid as "changed_by_user_id",
            "x"."changed_at"::timestamp with time zone as "changed_at",
            "x"."created_at"::timestamp with time zone as "created_at",
            "x"."updated_at"::timestamp with time zone as "updated_at", false, array_remove(array[case when not q.payload ? 'change_id' then 'change_id' end,
            case when not q.payload ? 'opportunity_id' then 'opportunity_id' end,
            case when not q.payload ? 'from_stage_id' then 'from_stage_id' end,
            case when not q.payload ? 'to_stage_id' then 'to_stage_id' end,
            case when not q.payload ? 'amount_at_change' then 'amount_at_change' end,
            case when not q.payload ? 'changed_by_user_id' then 'changed_by_user_id' end,
            case when not q.payload ? 'changed_at' then 'changed_at' end,
            case when not q.payload ? 'created_at' then 'created_at' end,
            case when not q.payload ? 'updated_at' then 'updated_at' end]::text[], null), "x"."src_epoch", "x"."src_commit", "x"."src_lsn", "x"."src_is_snapshot"
     from ops.quarantine q cross join lateral jsonb_to_record(q.payload) as x("change_id" bigint, "opportunity_id" uuid, "from_stage_id" uuid, "to_stage_id" uuid,
            "amount_at_change" numeric, "changed_by_user_id" uuid, "changed_at" timestamp with time zone,
            "created_at" timestamp with time zone, "updated_at" timestamp with time zone,
            "src_epoch" integer, "src_commit" bigint, "src_lsn" bigint, "src_is_snapshot" boolean,
            committed_at timestamptz)
     where q.feed = 'opportunity_stage_history' and q.released_at is null)
 r
where not is_deleted
group by 1;

-- audit: digests by key of the warehouse
select "change_id"::text collate "C" as key,
('x' || left(encode(sha256(convert_to((jsonb_build_object('change_id'::text, "change_id", 'opportunity_id'::text, "opportunity_id",
            'from_stage_id'::text, "from_stage_id", 'to_stage_id'::text, "to_stage_id",
            'amount_at_change'::text, "amount_at_change", 'changed_by_user_id'::text, "changed_by_user_id",
            'changed_at'::text, "changed_at", 'created_at'::text, "created_at", 'updated_at'::text, "updated_at") - _missing)::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint
as digest, null::timestamptz as changed_at
from
    (select "t"."change_id"::bigint as "change_id", "t"."opportunity_id"::uuid as "opportunity_id",
            "t"."from_stage_id"::uuid as "from_stage_id", "t"."to_stage_id"::uuid as "to_stage_id",
            round("t"."amount_at_change"::numeric, 2) as "amount_at_change",
            "t"."changed_by_user_id"::uuid as "changed_by_user_id",
            "t"."changed_at"::timestamp with time zone as "changed_at",
            "t"."created_at"::timestamp with time zone as "created_at",
            "t"."updated_at"::timestamp with time zone as "updated_at", t.is_deleted, '{}'::text[] as _missing, "t"."src_epoch", "t"."src_commit", "t"."src_lsn", "t"."src_is_snapshot"
     from "core"."opportunity_stage_history" t
     where not exists (
         select from ops.quarantine q where q.feed = 'opportunity_stage_history' and q.key = t."change_id"::text and q.released_at is null
     )
     union all
     select "x"."change_id"::bigint as "change_id", "x"."opportunity_id"::uuid as "opportunity_id",
            "x"."from_stage_id"::uuid as "from_stage_id", "x"."to_stage_id"::uuid as "to_stage_id",
            round("x"."amount_at_change"::numeric, 2) as "amount_at_change",
            "x"."changed_by_user_id"::uuid as "changed_by_user_id",
            "x"."changed_at"::timestamp with time zone as "changed_at",
            "x"."created_at"::timestamp with time zone as "created_at",
            "x"."updated_at"::timestamp with time zone as "updated_at", false, array_remove(array[case when not q.payload ? 'change_id' then 'change_id' end,
            case when not q.payload ? 'opportunity_id' then 'opportunity_id' end,
            case when not q.payload ? 'from_stage_id' then 'from_stage_id' end,
            case when not q.payload ? 'to_stage_id' then 'to_stage_id' end,
            case when not q.payload ? 'amount_at_change' then 'amount_at_change' end,
            case when not q.payload ? 'changed_by_user_id' then 'changed_by_user_id' end,
            case when not q.payload ? 'changed_at' then 'changed_at' end,
            case when not q.payload ? 'created_at' then 'created_at' end,
            case when not q.payload ? 'updated_at' then 'updated_at' end]::text[], null), "x"."src_epoch", "x"."src_commit", "x"."src_lsn", "x"."src_is_snapshot"
     from ops.quarantine q cross join lateral jsonb_to_record(q.payload) as x("change_id" bigint, "opportunity_id" uuid, "from_stage_id" uuid, "to_stage_id" uuid,
            "amount_at_change" numeric, "changed_by_user_id" uuid, "changed_at" timestamp with time zone,
            "created_at" timestamp with time zone, "updated_at" timestamp with time zone,
            "src_epoch" integer, "src_commit" bigint, "src_lsn" bigint, "src_is_snapshot" boolean,
            committed_at timestamptz)
     where q.feed = 'opportunity_stage_history' and q.released_at is null)
 r
where not is_deleted and ('x' || left(encode(sha256(convert_to("change_id"::text, 'UTF8')), 'hex'), 3))::bit(12)::int = any(%(buckets)s)
order by 1;

-- audit: digests of some keys of the warehouse
select "change_id"::text,
('x' || left(encode(sha256(convert_to((jsonb_build_object('change_id'::text, "change_id", 'opportunity_id'::text, "opportunity_id",
            'from_stage_id'::text, "from_stage_id", 'to_stage_id'::text, "to_stage_id",
            'amount_at_change'::text, "amount_at_change", 'changed_by_user_id'::text, "changed_by_user_id",
            'changed_at'::text, "changed_at", 'created_at'::text, "created_at", 'updated_at'::text, "updated_at") - _missing)::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint
from
    (select "t"."change_id"::bigint as "change_id", "t"."opportunity_id"::uuid as "opportunity_id",
            "t"."from_stage_id"::uuid as "from_stage_id", "t"."to_stage_id"::uuid as "to_stage_id",
            round("t"."amount_at_change"::numeric, 2) as "amount_at_change",
            "t"."changed_by_user_id"::uuid as "changed_by_user_id",
            "t"."changed_at"::timestamp with time zone as "changed_at",
            "t"."created_at"::timestamp with time zone as "created_at",
            "t"."updated_at"::timestamp with time zone as "updated_at", t.is_deleted, '{}'::text[] as _missing, "t"."src_epoch", "t"."src_commit", "t"."src_lsn", "t"."src_is_snapshot"
     from "core"."opportunity_stage_history" t
     where not exists (
         select from ops.quarantine q where q.feed = 'opportunity_stage_history' and q.key = t."change_id"::text and q.released_at is null
     )
     union all
     select "x"."change_id"::bigint as "change_id", "x"."opportunity_id"::uuid as "opportunity_id",
            "x"."from_stage_id"::uuid as "from_stage_id", "x"."to_stage_id"::uuid as "to_stage_id",
            round("x"."amount_at_change"::numeric, 2) as "amount_at_change",
            "x"."changed_by_user_id"::uuid as "changed_by_user_id",
            "x"."changed_at"::timestamp with time zone as "changed_at",
            "x"."created_at"::timestamp with time zone as "created_at",
            "x"."updated_at"::timestamp with time zone as "updated_at", false, array_remove(array[case when not q.payload ? 'change_id' then 'change_id' end,
            case when not q.payload ? 'opportunity_id' then 'opportunity_id' end,
            case when not q.payload ? 'from_stage_id' then 'from_stage_id' end,
            case when not q.payload ? 'to_stage_id' then 'to_stage_id' end,
            case when not q.payload ? 'amount_at_change' then 'amount_at_change' end,
            case when not q.payload ? 'changed_by_user_id' then 'changed_by_user_id' end,
            case when not q.payload ? 'changed_at' then 'changed_at' end,
            case when not q.payload ? 'created_at' then 'created_at' end,
            case when not q.payload ? 'updated_at' then 'updated_at' end]::text[], null), "x"."src_epoch", "x"."src_commit", "x"."src_lsn", "x"."src_is_snapshot"
     from ops.quarantine q cross join lateral jsonb_to_record(q.payload) as x("change_id" bigint, "opportunity_id" uuid, "from_stage_id" uuid, "to_stage_id" uuid,
            "amount_at_change" numeric, "changed_by_user_id" uuid, "changed_at" timestamp with time zone,
            "created_at" timestamp with time zone, "updated_at" timestamp with time zone,
            "src_epoch" integer, "src_commit" bigint, "src_lsn" bigint, "src_is_snapshot" boolean,
            committed_at timestamptz)
     where q.feed = 'opportunity_stage_history' and q.released_at is null)
 r
where not is_deleted and "change_id" = any(%(keys)s::bigint[]);

-- audit: rows and sums by hour of the source
select date_trunc('hour', updated_at, 'UTC'), count(*), sum("amount_at_change"),
       sum(('x' || left(encode(sha256(convert_to((jsonb_build_object('change_id'::text, "change_id", 'opportunity_id'::text, "opportunity_id",
        'from_stage_id'::text, "from_stage_id", 'to_stage_id'::text, "to_stage_id",
        'amount_at_change'::text, "amount_at_change", 'changed_by_user_id'::text, "changed_by_user_id",
        'changed_at'::text, "changed_at", 'created_at'::text, "created_at", 'updated_at'::text, "updated_at") - _missing)::text, 'UTF8')), 'hex'), 8))
           ::bit(32)::bigint)
from
(select "s"."id"::bigint as "change_id",
        case when "s"."opportunity_id"::uuid::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ',')))
            then '00000000-0000-0000-0000-000000000000' else "s"."opportunity_id"::uuid end as "opportunity_id",
        case when "s"."from_stage_id"::uuid::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ',')))
            then '00000000-0000-0000-0000-000000000000' else "s"."from_stage_id"::uuid end as "from_stage_id",
        case when "s"."to_stage_id"::uuid::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ',')))
            then '00000000-0000-0000-0000-000000000000' else "s"."to_stage_id"::uuid end as "to_stage_id",
        round("s"."amount_at_change"::numeric, 2) as "amount_at_change",
        case when "s"."changed_by_user_id"::uuid::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ',')))
            then '00000000-0000-0000-0000-000000000000' else "s"."changed_by_user_id"::uuid end as "changed_by_user_id",
        "s"."changed_at"::timestamp with time zone as "changed_at",
        "s"."created_at"::timestamp with time zone as "created_at",
        "s"."updated_at"::timestamp with time zone as "updated_at", false as is_deleted, '{}'::text[] as _missing
 from "crm"."opportunity_stage_history" as s
 where not "s"."id"::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ','))))
as r
where not is_deleted and updated_at >= %(since)s and updated_at < %(until)s group by 1;

-- audit: keys of some hours of the source
select "change_id"::text from
(select "s"."id"::bigint as "change_id",
        case when "s"."opportunity_id"::uuid::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ',')))
            then '00000000-0000-0000-0000-000000000000' else "s"."opportunity_id"::uuid end as "opportunity_id",
        case when "s"."from_stage_id"::uuid::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ',')))
            then '00000000-0000-0000-0000-000000000000' else "s"."from_stage_id"::uuid end as "from_stage_id",
        case when "s"."to_stage_id"::uuid::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ',')))
            then '00000000-0000-0000-0000-000000000000' else "s"."to_stage_id"::uuid end as "to_stage_id",
        round("s"."amount_at_change"::numeric, 2) as "amount_at_change",
        case when "s"."changed_by_user_id"::uuid::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ',')))
            then '00000000-0000-0000-0000-000000000000' else "s"."changed_by_user_id"::uuid end as "changed_by_user_id",
        "s"."changed_at"::timestamp with time zone as "changed_at",
        "s"."created_at"::timestamp with time zone as "created_at",
        "s"."updated_at"::timestamp with time zone as "updated_at", false as is_deleted, '{}'::text[] as _missing
 from "crm"."opportunity_stage_history" as s
 where not "s"."id"::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ','))))
as r
where not is_deleted and updated_at >= %s and updated_at < %s
  and date_trunc('hour', updated_at, 'UTC') = any(%s);

-- audit: digests by bucket of the source
select ('x' || left(encode(sha256(convert_to("change_id"::text, 'UTF8')), 'hex'), 3))::bit(12)::int, count(*), sum(
('x' || left(encode(sha256(convert_to((jsonb_build_object('change_id'::text, "change_id", 'opportunity_id'::text, "opportunity_id",
            'from_stage_id'::text, "from_stage_id", 'to_stage_id'::text, "to_stage_id",
            'amount_at_change'::text, "amount_at_change", 'changed_by_user_id'::text, "changed_by_user_id",
            'changed_at'::text, "changed_at", 'created_at'::text, "created_at", 'updated_at'::text, "updated_at") - _missing)::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint
)
from
    (select "s"."id"::bigint as "change_id",
            case when "s"."opportunity_id"::uuid::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ',')))
                then '00000000-0000-0000-0000-000000000000' else "s"."opportunity_id"::uuid end as "opportunity_id",
            case when "s"."from_stage_id"::uuid::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ',')))
                then '00000000-0000-0000-0000-000000000000' else "s"."from_stage_id"::uuid end as "from_stage_id",
            case when "s"."to_stage_id"::uuid::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ',')))
                then '00000000-0000-0000-0000-000000000000' else "s"."to_stage_id"::uuid end as "to_stage_id",
            round("s"."amount_at_change"::numeric, 2) as "amount_at_change",
            case when "s"."changed_by_user_id"::uuid::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ',')))
                then '00000000-0000-0000-0000-000000000000' else "s"."changed_by_user_id"::uuid end as "changed_by_user_id",
            "s"."changed_at"::timestamp with time zone as "changed_at",
            "s"."created_at"::timestamp with time zone as "created_at",
            "s"."updated_at"::timestamp with time zone as "updated_at", false as is_deleted, '{}'::text[] as _missing
     from "crm"."opportunity_stage_history" as s
     where not "s"."id"::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ','))))
 r
where not is_deleted
group by 1;

-- audit: digests by key of the source
select "change_id"::text collate "C" as key,
('x' || left(encode(sha256(convert_to((jsonb_build_object('change_id'::text, "change_id", 'opportunity_id'::text, "opportunity_id",
            'from_stage_id'::text, "from_stage_id", 'to_stage_id'::text, "to_stage_id",
            'amount_at_change'::text, "amount_at_change", 'changed_by_user_id'::text, "changed_by_user_id",
            'changed_at'::text, "changed_at", 'created_at'::text, "created_at", 'updated_at'::text, "updated_at") - _missing)::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint
as digest, null::timestamptz as changed_at
from
    (select "s"."id"::bigint as "change_id",
            case when "s"."opportunity_id"::uuid::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ',')))
                then '00000000-0000-0000-0000-000000000000' else "s"."opportunity_id"::uuid end as "opportunity_id",
            case when "s"."from_stage_id"::uuid::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ',')))
                then '00000000-0000-0000-0000-000000000000' else "s"."from_stage_id"::uuid end as "from_stage_id",
            case when "s"."to_stage_id"::uuid::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ',')))
                then '00000000-0000-0000-0000-000000000000' else "s"."to_stage_id"::uuid end as "to_stage_id",
            round("s"."amount_at_change"::numeric, 2) as "amount_at_change",
            case when "s"."changed_by_user_id"::uuid::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ',')))
                then '00000000-0000-0000-0000-000000000000' else "s"."changed_by_user_id"::uuid end as "changed_by_user_id",
            "s"."changed_at"::timestamp with time zone as "changed_at",
            "s"."created_at"::timestamp with time zone as "created_at",
            "s"."updated_at"::timestamp with time zone as "updated_at", false as is_deleted, '{}'::text[] as _missing
     from "crm"."opportunity_stage_history" as s
     where not "s"."id"::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ','))))
 r
where not is_deleted and ('x' || left(encode(sha256(convert_to("change_id"::text, 'UTF8')), 'hex'), 3))::bit(12)::int = any(%(buckets)s)
order by 1;

-- audit: digests of some keys of the source
select "change_id"::text,
('x' || left(encode(sha256(convert_to((jsonb_build_object('change_id'::text, "change_id", 'opportunity_id'::text, "opportunity_id",
            'from_stage_id'::text, "from_stage_id", 'to_stage_id'::text, "to_stage_id",
            'amount_at_change'::text, "amount_at_change", 'changed_by_user_id'::text, "changed_by_user_id",
            'changed_at'::text, "changed_at", 'created_at'::text, "created_at", 'updated_at'::text, "updated_at") - _missing)::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint
from
    (select "s"."id"::bigint as "change_id",
            case when "s"."opportunity_id"::uuid::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ',')))
                then '00000000-0000-0000-0000-000000000000' else "s"."opportunity_id"::uuid end as "opportunity_id",
            case when "s"."from_stage_id"::uuid::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ',')))
                then '00000000-0000-0000-0000-000000000000' else "s"."from_stage_id"::uuid end as "from_stage_id",
            case when "s"."to_stage_id"::uuid::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ',')))
                then '00000000-0000-0000-0000-000000000000' else "s"."to_stage_id"::uuid end as "to_stage_id",
            round("s"."amount_at_change"::numeric, 2) as "amount_at_change",
            case when "s"."changed_by_user_id"::uuid::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ',')))
                then '00000000-0000-0000-0000-000000000000' else "s"."changed_by_user_id"::uuid end as "changed_by_user_id",
            "s"."changed_at"::timestamp with time zone as "changed_at",
            "s"."created_at"::timestamp with time zone as "created_at",
            "s"."updated_at"::timestamp with time zone as "updated_at", false as is_deleted, '{}'::text[] as _missing
     from "crm"."opportunity_stage_history" as s
     where not "s"."id"::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ','))))
 r
where not is_deleted and "change_id" = any(%(keys)s::bigint[]);

-- audit: rows by key of the warehouse
select "change_id"::text, to_jsonb("change_id"), case when not is_deleted then (jsonb_build_object('change_id'::text, "change_id", 'opportunity_id'::text, "opportunity_id",
        'from_stage_id'::text, "from_stage_id", 'to_stage_id'::text, "to_stage_id",
        'amount_at_change'::text, "amount_at_change", 'changed_by_user_id'::text, "changed_by_user_id",
        'changed_at'::text, "changed_at", 'created_at'::text, "created_at", 'updated_at'::text, "updated_at") - _missing)::text end,
       "r"."src_epoch", "r"."src_commit", "r"."src_lsn", "r"."src_is_snapshot"
from
(select "t"."change_id"::bigint as "change_id", "t"."opportunity_id"::uuid as "opportunity_id",
        "t"."from_stage_id"::uuid as "from_stage_id", "t"."to_stage_id"::uuid as "to_stage_id",
        round("t"."amount_at_change"::numeric, 2) as "amount_at_change",
        "t"."changed_by_user_id"::uuid as "changed_by_user_id",
        "t"."changed_at"::timestamp with time zone as "changed_at",
        "t"."created_at"::timestamp with time zone as "created_at",
        "t"."updated_at"::timestamp with time zone as "updated_at", t.is_deleted, '{}'::text[] as _missing, "t"."src_epoch", "t"."src_commit", "t"."src_lsn", "t"."src_is_snapshot"
 from "core"."opportunity_stage_history" t
 where not exists (
     select from ops.quarantine q where q.feed = 'opportunity_stage_history' and q.key = t."change_id"::text and q.released_at is null
 )
 union all
 select "x"."change_id"::bigint as "change_id", "x"."opportunity_id"::uuid as "opportunity_id",
        "x"."from_stage_id"::uuid as "from_stage_id", "x"."to_stage_id"::uuid as "to_stage_id",
        round("x"."amount_at_change"::numeric, 2) as "amount_at_change",
        "x"."changed_by_user_id"::uuid as "changed_by_user_id",
        "x"."changed_at"::timestamp with time zone as "changed_at",
        "x"."created_at"::timestamp with time zone as "created_at",
        "x"."updated_at"::timestamp with time zone as "updated_at", false, array_remove(array[case when not q.payload ? 'change_id' then 'change_id' end,
        case when not q.payload ? 'opportunity_id' then 'opportunity_id' end,
        case when not q.payload ? 'from_stage_id' then 'from_stage_id' end,
        case when not q.payload ? 'to_stage_id' then 'to_stage_id' end,
        case when not q.payload ? 'amount_at_change' then 'amount_at_change' end,
        case when not q.payload ? 'changed_by_user_id' then 'changed_by_user_id' end,
        case when not q.payload ? 'changed_at' then 'changed_at' end,
        case when not q.payload ? 'created_at' then 'created_at' end,
        case when not q.payload ? 'updated_at' then 'updated_at' end]::text[], null), "x"."src_epoch", "x"."src_commit", "x"."src_lsn", "x"."src_is_snapshot"
 from ops.quarantine q cross join lateral jsonb_to_record(q.payload) as x("change_id" bigint, "opportunity_id" uuid, "from_stage_id" uuid, "to_stage_id" uuid,
        "amount_at_change" numeric, "changed_by_user_id" uuid, "changed_at" timestamp with time zone,
        "created_at" timestamp with time zone, "updated_at" timestamp with time zone,
        "src_epoch" integer, "src_commit" bigint, "src_lsn" bigint, "src_is_snapshot" boolean,
        committed_at timestamptz)
 where q.feed = 'opportunity_stage_history' and q.released_at is null)
as r where "change_id" = any(%s::bigint[]);

-- audit: rows by key of the source
select "change_id"::text, to_jsonb("change_id"), (jsonb_build_object('change_id'::text, "change_id", 'opportunity_id'::text, "opportunity_id",
        'from_stage_id'::text, "from_stage_id", 'to_stage_id'::text, "to_stage_id",
        'amount_at_change'::text, "amount_at_change", 'changed_by_user_id'::text, "changed_by_user_id",
        'changed_at'::text, "changed_at", 'created_at'::text, "created_at", 'updated_at'::text, "updated_at") - _missing)::text, jsonb_build_object('id'::text, "change_id", 'opportunity_id'::text, "opportunity_id",
        'from_stage_id'::text, "from_stage_id", 'to_stage_id'::text, "to_stage_id",
        'amount_at_change'::text, "amount_at_change"::text, 'changed_by_user_id'::text, "changed_by_user_id",
        'changed_at'::text, "changed_at", 'created_at'::text, "created_at", 'updated_at'::text, "updated_at")
from
(select "s"."id"::bigint as "change_id",
        case when "s"."opportunity_id"::uuid::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ',')))
            then '00000000-0000-0000-0000-000000000000' else "s"."opportunity_id"::uuid end as "opportunity_id",
        case when "s"."from_stage_id"::uuid::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ',')))
            then '00000000-0000-0000-0000-000000000000' else "s"."from_stage_id"::uuid end as "from_stage_id",
        case when "s"."to_stage_id"::uuid::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ',')))
            then '00000000-0000-0000-0000-000000000000' else "s"."to_stage_id"::uuid end as "to_stage_id",
        round("s"."amount_at_change"::numeric, 2) as "amount_at_change",
        case when "s"."changed_by_user_id"::uuid::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ',')))
            then '00000000-0000-0000-0000-000000000000' else "s"."changed_by_user_id"::uuid end as "changed_by_user_id",
        "s"."changed_at"::timestamp with time zone as "changed_at",
        "s"."created_at"::timestamp with time zone as "created_at",
        "s"."updated_at"::timestamp with time zone as "updated_at", false as is_deleted, '{}'::text[] as _missing
 from "crm"."opportunity_stage_history" as s
 where not "s"."id"::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ','))))
as r where "change_id" = any(%s::bigint[]);

-- erase: touch the days of rows that name a person
insert into ops.touched (core_table, entity_id, day)
            select distinct %(feed)s, e.entity, (d.moment at time zone 'UTC')::date
    from "core"."opportunity_stage_history" t cross join unnest(array["t"."opportunity_id"::text]) e(entity) cross join unnest(array["t"."changed_at"]) d(moment)
    where (exists (select from unnest(%(needles)s::text[]) needle where position(needle in lower((t.*)::text)) > 0)) and d.moment is not null and e.entity is not null
            on conflict (core_table, entity_id, day) do update set touched_at = clock_timestamp();
