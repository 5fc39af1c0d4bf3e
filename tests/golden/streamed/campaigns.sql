-- Written by `python -m tests.golden` from warehouse/core/campaigns; do not edit.
-- The statements are as psycopg gets them: %(name)s and %s stand for parameters, %% for a percent sign.

-- provision: its part of the publication, which has other tables too
alter publication "promptads" set table "promptads"."campaigns" ("id", "user_id", "name", "objective", "budget", "currency_code", "status", "start_date", "end_date",
                "created_at", "updated_at", "deleted_at");

-- provision: what Debezium's role may read
grant usage on schema "promptads" to "cdc", "etl_audit";
revoke select on "promptads"."campaigns" from "cdc", "etl_audit";
grant select ("id", "user_id", "name", "objective", "budget", "currency_code", "status", "start_date", "end_date",
        "created_at", "updated_at", "deleted_at") on "promptads"."campaigns" to "cdc", "etl_audit";

-- apply: the newest known versions
with kept as (
    select to_jsonb("campaign_id"), jsonb_build_object('id'::text, "campaign_id", 'user_id'::text, "user_id", 'name'::text, "name",
        'objective'::text, "objective", 'budget'::text, "budget"::text,
        'currency_code'::text, "currency_code", 'status'::text, "status", 'start_date'::text, "starts_at",
        'end_date'::text, "ends_at", 'created_at'::text, "created_at", 'updated_at'::text, "updated_at",
        'deleted_at'::text, "deleted_at"), is_deleted, "t"."src_epoch", "t"."src_commit", "t"."src_lsn", "t"."src_is_snapshot", _loaded_at, '{}'::text[]
    from "core"."campaigns" t where "campaign_id" = any(%(keys)s::uuid[]) order by "campaign_id" for update
), open as (
    select payload as _payload, last_tried_at as _tried_at, rules as _rules from ops.quarantine
    where feed = 'campaigns' and key = any(%(keys)s::text[]) and released_at is null order by key for update
), held as (
    select to_jsonb("campaign_id"), jsonb_build_object('id'::text, "campaign_id", 'user_id'::text, "user_id", 'name'::text, "name",
        'objective'::text, "objective", 'budget'::text, "budget"::text,
        'currency_code'::text, "currency_code", 'status'::text, "status", 'start_date'::text, "starts_at",
        'end_date'::text, "ends_at", 'created_at'::text, "created_at", 'updated_at'::text, "updated_at",
        'deleted_at'::text, "deleted_at") - array_remove(array[case when not _payload ? 'campaign_id' then 'id' end,
        case when not _payload ? 'user_id' then 'user_id' end,
        case when not _payload ? 'name' then 'name' end,
        case when not _payload ? 'objective' then 'objective' end,
        case when not _payload ? 'budget' then 'budget' end,
        case when not _payload ? 'currency_code' then 'currency_code' end,
        case when not _payload ? 'status' then 'status' end,
        case when not _payload ? 'starts_at' then 'start_date' end,
        case when not _payload ? 'ends_at' then 'end_date' end,
        case when not _payload ? 'created_at' then 'created_at' end,
        case when not _payload ? 'updated_at' then 'updated_at' end,
        case when not _payload ? 'deleted_at' then 'deleted_at' end]::text[], null), false, "x"."src_epoch", "x"."src_commit", "x"."src_lsn", "x"."src_is_snapshot", _tried_at, _rules
    from open cross join lateral jsonb_to_record(_payload) as x("campaign_id" uuid, "user_id" uuid, "name" text, "objective" text, "budget" numeric,
        "currency_code" text, "status" text, "starts_at" timestamp with time zone,
        "ends_at" timestamp with time zone, "created_at" timestamp with time zone,
        "updated_at" timestamp with time zone, "deleted_at" timestamp with time zone,
        "src_epoch" integer, "src_commit" bigint, "src_lsn" bigint, "src_is_snapshot" boolean,
        committed_at timestamptz)
)
select * from kept union all select * from held;

-- apply: upsert into core.campaigns
with src as (
select "x"."id" as "campaign_id",
        case when "x"."user_id"::text in (select key from ops.suppression where length(key) >= 16)
            then '00000000-0000-0000-0000-000000000000' else "x"."user_id" end as "user_id",
        "x"."name" as "name", "x"."objective" as "objective", "x"."budget" as "budget",
        "x"."currency_code" as "currency_code", "x"."status" as "status", "x"."start_date" as "starts_at",
        "x"."end_date" as "ends_at", "x"."created_at" as "created_at", "x"."updated_at" as "updated_at",
        "x"."deleted_at" as "deleted_at", "x"."promptsales_is_deleted" as "is_deleted",
        "x"."promptsales_src_epoch" as "src_epoch", "x"."promptsales_src_commit" as "src_commit",
        "x"."promptsales_src_lsn" as "src_lsn", "x"."promptsales_src_is_snapshot" as "src_is_snapshot",
        "x"."promptsales_committed_at" as "committed_at"
from json_to_recordset(%(rows)s::json) as x("id" uuid, "user_id" uuid, "name" character varying(255), "objective" character varying(100),
        "budget" numeric(10,2), "currency_code" character(3), "status" character varying(20),
        "start_date" timestamp with time zone, "end_date" timestamp with time zone,
        "created_at" timestamp with time zone, "updated_at" timestamp with time zone,
        "deleted_at" timestamp with time zone, "promptsales_is_deleted" boolean,
        "promptsales_src_epoch" integer, "promptsales_src_commit" bigint, "promptsales_src_lsn" bigint,
        "promptsales_src_is_snapshot" boolean, "promptsales_committed_at" timestamptz)
where not "x"."id"::text in (select key from ops.suppression where length(key) >= 16) and ("x"."promptsales_is_deleted" or not exists (
    select from ops.truncation d where d.feed = 'campaigns' and ("x"."promptsales_src_epoch", "x"."promptsales_src_commit", not "x"."promptsales_src_is_snapshot", "x"."promptsales_src_lsn") < ("d"."src_epoch", "d"."src_commit", not false, "d"."src_lsn")
))
),
up as (
    insert into "core"."campaigns" as t ("campaign_id", "user_id", "name", "objective", "budget", "currency_code", "status", "starts_at",
        "ends_at", "created_at", "updated_at", "deleted_at", "is_deleted", "src_epoch", "src_commit", "src_lsn", "src_is_snapshot", _loaded_at)
    select "campaign_id", "user_id", "name", "objective", "budget", "currency_code", "status", "starts_at",
        "ends_at", "created_at", "updated_at", "deleted_at", "is_deleted", "src_epoch", "src_commit", "src_lsn", "src_is_snapshot", clock_timestamp() from src order by "campaign_id"
    on conflict ("campaign_id") do update
    set "user_id" = case when excluded.is_deleted then t."user_id" else excluded."user_id" end,
        "name" = case when excluded.is_deleted then t."name" else excluded."name" end,
        "objective" = case when excluded.is_deleted then t."objective" else excluded."objective" end,
        "budget" = case when excluded.is_deleted then t."budget" else excluded."budget" end,
        "currency_code" = case when excluded.is_deleted then t."currency_code" else excluded."currency_code" end,
        "status" = case when excluded.is_deleted then t."status" else excluded."status" end,
        "starts_at" = case when excluded.is_deleted then t."starts_at" else excluded."starts_at" end,
        "ends_at" = case when excluded.is_deleted then t."ends_at" else excluded."ends_at" end,
        "created_at" = case when excluded.is_deleted then t."created_at" else excluded."created_at" end,
        "updated_at" = case when excluded.is_deleted then t."updated_at" else excluded."updated_at" end,
        "deleted_at" = case when excluded.is_deleted then t."deleted_at" else excluded."deleted_at" end, "is_deleted" = excluded."is_deleted", "src_epoch" = excluded."src_epoch",
        "src_commit" = excluded."src_commit", "src_lsn" = excluded."src_lsn",
        "src_is_snapshot" = excluded."src_is_snapshot", _loaded_at = excluded._loaded_at
    where ("t"."src_epoch", "t"."src_commit", not "t"."src_is_snapshot", "t"."src_lsn") < ("excluded"."src_epoch", "excluded"."src_commit", not "excluded"."src_is_snapshot", "excluded"."src_lsn")
    returning "old"."campaign_id" as "old_campaign_id", "new"."campaign_id" as "new_campaign_id"
)
select count(*) from up;

-- apply: amend versions in the history
update "core"."campaigns_history" h set "name" = n."name", "objective" = n."objective", "budget" = n."budget", "status" = n."status",
            "starts_at" = n."starts_at", "ends_at" = n."ends_at", "user_id" = n."user_id" from
            (select c.*, s.committed_at from (
    select "x"."id" as "campaign_id",
            case when "x"."user_id"::text in (select key from ops.suppression where length(key) >= 16)
                then '00000000-0000-0000-0000-000000000000' else "x"."user_id" end as "user_id",
            "x"."name" as "name", "x"."objective" as "objective", "x"."budget" as "budget",
            "x"."currency_code" as "currency_code", "x"."status" as "status", "x"."start_date" as "starts_at",
            "x"."end_date" as "ends_at", "x"."created_at" as "created_at", "x"."updated_at" as "updated_at",
            "x"."deleted_at" as "deleted_at", "x"."promptsales_is_deleted" as "is_deleted",
            "x"."promptsales_src_epoch" as "src_epoch", "x"."promptsales_src_commit" as "src_commit",
            "x"."promptsales_src_lsn" as "src_lsn", "x"."promptsales_src_is_snapshot" as "src_is_snapshot",
            "x"."promptsales_committed_at" as "committed_at"
    from json_to_recordset(%(rows)s::json) as x("id" uuid, "user_id" uuid, "name" character varying(255), "objective" character varying(100),
            "budget" numeric(10,2), "currency_code" character(3), "status" character varying(20),
            "start_date" timestamp with time zone, "end_date" timestamp with time zone,
            "created_at" timestamp with time zone, "updated_at" timestamp with time zone,
            "deleted_at" timestamp with time zone, "promptsales_is_deleted" boolean,
            "promptsales_src_epoch" integer, "promptsales_src_commit" bigint, "promptsales_src_lsn" bigint,
            "promptsales_src_is_snapshot" boolean, "promptsales_committed_at" timestamptz)
    where not "x"."id"::text in (select key from ops.suppression where length(key) >= 16) and ("x"."promptsales_is_deleted" or not exists (
        select from ops.truncation d where d.feed = 'campaigns' and ("x"."promptsales_src_epoch", "x"."promptsales_src_commit", not "x"."promptsales_src_is_snapshot", "x"."promptsales_src_lsn") < ("d"."src_epoch", "d"."src_commit", not false, "d"."src_lsn")
    ))
) s join "core"."campaigns" c using ("campaign_id")
             where not c.is_deleted and (c.src_epoch, c.src_lsn, c.src_is_snapshot)
                 = (s.src_epoch, s.src_lsn, s.src_is_snapshot))
         n
where h."campaign_id" = n."campaign_id" and h.valid_to = 'infinity' and h.valid_from >= n.committed_at
  and row("n"."name", "n"."objective", "n"."budget", "n"."status", "n"."starts_at", "n"."ends_at",
            "n"."user_id") is distinct from row("h"."name", "h"."objective", "h"."budget", "h"."status", "h"."starts_at", "h"."ends_at",
            "h"."user_id");

-- apply: close versions in the history
update "core"."campaigns_history" h set valid_to = n.committed_at from
            (select c.*, s.committed_at from (
    select "x"."id" as "campaign_id",
            case when "x"."user_id"::text in (select key from ops.suppression where length(key) >= 16)
                then '00000000-0000-0000-0000-000000000000' else "x"."user_id" end as "user_id",
            "x"."name" as "name", "x"."objective" as "objective", "x"."budget" as "budget",
            "x"."currency_code" as "currency_code", "x"."status" as "status", "x"."start_date" as "starts_at",
            "x"."end_date" as "ends_at", "x"."created_at" as "created_at", "x"."updated_at" as "updated_at",
            "x"."deleted_at" as "deleted_at", "x"."promptsales_is_deleted" as "is_deleted",
            "x"."promptsales_src_epoch" as "src_epoch", "x"."promptsales_src_commit" as "src_commit",
            "x"."promptsales_src_lsn" as "src_lsn", "x"."promptsales_src_is_snapshot" as "src_is_snapshot",
            "x"."promptsales_committed_at" as "committed_at"
    from json_to_recordset(%(rows)s::json) as x("id" uuid, "user_id" uuid, "name" character varying(255), "objective" character varying(100),
            "budget" numeric(10,2), "currency_code" character(3), "status" character varying(20),
            "start_date" timestamp with time zone, "end_date" timestamp with time zone,
            "created_at" timestamp with time zone, "updated_at" timestamp with time zone,
            "deleted_at" timestamp with time zone, "promptsales_is_deleted" boolean,
            "promptsales_src_epoch" integer, "promptsales_src_commit" bigint, "promptsales_src_lsn" bigint,
            "promptsales_src_is_snapshot" boolean, "promptsales_committed_at" timestamptz)
    where not "x"."id"::text in (select key from ops.suppression where length(key) >= 16) and ("x"."promptsales_is_deleted" or not exists (
        select from ops.truncation d where d.feed = 'campaigns' and ("x"."promptsales_src_epoch", "x"."promptsales_src_commit", not "x"."promptsales_src_is_snapshot", "x"."promptsales_src_lsn") < ("d"."src_epoch", "d"."src_commit", not false, "d"."src_lsn")
    ))
) s join "core"."campaigns" c using ("campaign_id")
             where not c.is_deleted and (c.src_epoch, c.src_lsn, c.src_is_snapshot)
                 = (s.src_epoch, s.src_lsn, s.src_is_snapshot))
         n
where h."campaign_id" = n."campaign_id" and h.valid_to = 'infinity' and row("n"."name", "n"."objective", "n"."budget", "n"."status", "n"."starts_at", "n"."ends_at",
            "n"."user_id") is distinct from row("h"."name", "h"."objective", "h"."budget", "h"."status", "h"."starts_at", "h"."ends_at",
            "h"."user_id");

-- apply: open versions in the history
insert into "core"."campaigns_history" ("campaign_id", "name", "objective", "budget", "status", "starts_at", "ends_at", "user_id", valid_from, valid_to)
select n."campaign_id", "n"."name", "n"."objective", "n"."budget", "n"."status", "n"."starts_at", "n"."ends_at",
            "n"."user_id",
       coalesce((select max(h.valid_to) from "core"."campaigns_history" h where h."campaign_id" = n."campaign_id"), '-infinity'), 'infinity'
from
            (select c.*, s.committed_at from (
    select "x"."id" as "campaign_id",
            case when "x"."user_id"::text in (select key from ops.suppression where length(key) >= 16)
                then '00000000-0000-0000-0000-000000000000' else "x"."user_id" end as "user_id",
            "x"."name" as "name", "x"."objective" as "objective", "x"."budget" as "budget",
            "x"."currency_code" as "currency_code", "x"."status" as "status", "x"."start_date" as "starts_at",
            "x"."end_date" as "ends_at", "x"."created_at" as "created_at", "x"."updated_at" as "updated_at",
            "x"."deleted_at" as "deleted_at", "x"."promptsales_is_deleted" as "is_deleted",
            "x"."promptsales_src_epoch" as "src_epoch", "x"."promptsales_src_commit" as "src_commit",
            "x"."promptsales_src_lsn" as "src_lsn", "x"."promptsales_src_is_snapshot" as "src_is_snapshot",
            "x"."promptsales_committed_at" as "committed_at"
    from json_to_recordset(%(rows)s::json) as x("id" uuid, "user_id" uuid, "name" character varying(255), "objective" character varying(100),
            "budget" numeric(10,2), "currency_code" character(3), "status" character varying(20),
            "start_date" timestamp with time zone, "end_date" timestamp with time zone,
            "created_at" timestamp with time zone, "updated_at" timestamp with time zone,
            "deleted_at" timestamp with time zone, "promptsales_is_deleted" boolean,
            "promptsales_src_epoch" integer, "promptsales_src_commit" bigint, "promptsales_src_lsn" bigint,
            "promptsales_src_is_snapshot" boolean, "promptsales_committed_at" timestamptz)
    where not "x"."id"::text in (select key from ops.suppression where length(key) >= 16) and ("x"."promptsales_is_deleted" or not exists (
        select from ops.truncation d where d.feed = 'campaigns' and ("x"."promptsales_src_epoch", "x"."promptsales_src_commit", not "x"."promptsales_src_is_snapshot", "x"."promptsales_src_lsn") < ("d"."src_epoch", "d"."src_commit", not false, "d"."src_lsn")
    ))
) s join "core"."campaigns" c using ("campaign_id")
             where not c.is_deleted and (c.src_epoch, c.src_lsn, c.src_is_snapshot)
                 = (s.src_epoch, s.src_lsn, s.src_is_snapshot))
         n
where not exists (select from "core"."campaigns_history" h where h."campaign_id" = n."campaign_id" and h.valid_to = 'infinity');

-- apply: move bad versions to quarantine
with src as (
select "x"."id" as "campaign_id",
        case when "x"."user_id"::text in (select key from ops.suppression where length(key) >= 16)
            then '00000000-0000-0000-0000-000000000000' else "x"."user_id" end as "user_id",
        "x"."name" as "name", "x"."objective" as "objective", "x"."budget" as "budget",
        "x"."currency_code" as "currency_code", "x"."status" as "status", "x"."start_date" as "starts_at",
        "x"."end_date" as "ends_at", "x"."created_at" as "created_at", "x"."updated_at" as "updated_at",
        "x"."deleted_at" as "deleted_at", "x"."promptsales_is_deleted" as "is_deleted",
        "x"."promptsales_src_epoch" as "src_epoch", "x"."promptsales_src_commit" as "src_commit",
        "x"."promptsales_src_lsn" as "src_lsn", "x"."promptsales_src_is_snapshot" as "src_is_snapshot",
        "x"."promptsales_committed_at" as "committed_at"
from json_to_recordset(%(rows)s::json) as x("id" uuid, "user_id" uuid, "name" character varying(255), "objective" character varying(100),
        "budget" numeric(10,2), "currency_code" character(3), "status" character varying(20),
        "start_date" timestamp with time zone, "end_date" timestamp with time zone,
        "created_at" timestamp with time zone, "updated_at" timestamp with time zone,
        "deleted_at" timestamp with time zone, "promptsales_is_deleted" boolean,
        "promptsales_src_epoch" integer, "promptsales_src_commit" bigint, "promptsales_src_lsn" bigint,
        "promptsales_src_is_snapshot" boolean, "promptsales_committed_at" timestamptz)
where not "x"."id"::text in (select key from ops.suppression where length(key) >= 16) and ("x"."promptsales_is_deleted" or not exists (
    select from ops.truncation d where d.feed = 'campaigns' and ("x"."promptsales_src_epoch", "x"."promptsales_src_commit", not "x"."promptsales_src_is_snapshot", "x"."promptsales_src_lsn") < ("d"."src_epoch", "d"."src_commit", not false, "d"."src_lsn")
))
),
judged as (
    select s.*, r.rules as _rules, r.missing as _missing from src s
    join json_to_recordset(%(broken)s::json) as r(key text, rules text[], missing text[])
      on r.key = s."campaign_id"::text
)
insert into ops.quarantine as q (feed, key, extraction, rules, suite_checksum, payload, is_core_stale)
select 'campaigns', j."campaign_id"::text, j.src_lsn, j._rules, %(suite_checksum)s,
       to_jsonb(j.*) - '{_rules,_missing}'::text[] - j._missing,
       exists (select from "core"."campaigns" t where t."campaign_id" = j."campaign_id")
from judged j
where not exists (
    select from "core"."campaigns" t where t."campaign_id" = j."campaign_id"
      and ("t"."src_epoch", "t"."src_commit", not "t"."src_is_snapshot", "t"."src_lsn") >= ("j"."src_epoch", "j"."src_commit", not "j"."src_is_snapshot", "j"."src_lsn")
)
order by j."campaign_id"
on conflict (feed, key) where released_at is null do update
set extraction = excluded.extraction, rules = excluded.rules, suite_checksum = excluded.suite_checksum,
    payload = excluded.payload, is_core_stale = excluded.is_core_stale, is_waived = false,
    last_tried_at = clock_timestamp(), tries = q.tries + 1
where ((q.payload->>'src_epoch')::integer, (q.payload->>'src_commit')::bigint, not (q.payload->>'src_is_snapshot')::boolean, (q.payload->>'src_lsn')::bigint) < ((excluded.payload->>'src_epoch')::integer, (excluded.payload->>'src_commit')::bigint, not (excluded.payload->>'src_is_snapshot')::boolean, (excluded.payload->>'src_lsn')::bigint);

-- apply: release rows from quarantine
update ops.quarantine q
set released_at = clock_timestamp(), release_reason = case when q.is_waived then 'waived' else 'repaired' end
from "core"."campaigns" t
where q.feed = 'campaigns' and q.released_at is null and q.key = any(%(keys)s::text[]) and q.key = t."campaign_id"::text
  and t."campaign_id" = any(%(keys)s::uuid[])
  and ((q.payload->>'src_epoch')::integer, (q.payload->>'src_commit')::bigint, not (q.payload->>'src_is_snapshot')::boolean, (q.payload->>'src_lsn')::bigint) <= ("t"."src_epoch", "t"."src_commit", not "t"."src_is_snapshot", "t"."src_lsn");

-- repair: let the same version replace a row
update "core"."campaigns" t set src_lsn = src_lsn - 1 where "campaign_id" = %(key)s::uuid and ("t"."src_epoch", "t"."src_commit", not "t"."src_is_snapshot", "t"."src_lsn") = (%(epoch)s, %(commit)s, not %(is_snapshot)s, %(lsn)s);

-- repair: let the same version replace a payload
update ops.quarantine q set payload = payload || jsonb_build_object('src_lsn', %(lsn)s::bigint - 1)
where feed = 'campaigns' and key = (%(key)s::uuid)::text and released_at is null
  and ((q.payload->>'src_epoch')::integer, (q.payload->>'src_commit')::bigint, not (q.payload->>'src_is_snapshot')::boolean, (q.payload->>'src_lsn')::bigint) = (%(epoch)s, %(commit)s, not %(is_snapshot)s, %(lsn)s);

-- repair: set a row aside that the table cannot hold
insert into ops.quarantine as q (feed, key, extraction, rules, suite_checksum, payload, is_core_stale)
select 'campaigns', k.key::text, %(lsn)s, array[%(rule)s], %(suite_checksum)s,
       k.payload || jsonb_strip_nulls(jsonb_build_object('user_id'::text, case when ("k"."payload" ->> 'user_id')::text in (select key from ops.suppression where length(key) >= 16)
            then '00000000-0000-0000-0000-000000000000' else ("k"."payload" ->> 'user_id') end)) || jsonb_build_object(
           'src_epoch', %(epoch)s::integer, 'src_commit', %(commit)s::bigint, 'src_lsn', %(lsn)s::bigint,
           'src_is_snapshot', %(is_snapshot)s, 'is_deleted', false),
       exists (select from "core"."campaigns" t where t."campaign_id" = k.key)
from (select %(key)s::uuid, %(values)s::jsonb) as k(key, payload)
where not "k"."key"::text in (select key from ops.suppression where length(key) >= 16) and not exists (
    select from "core"."campaigns" t where t."campaign_id" = k.key
      and ("t"."src_epoch", "t"."src_commit", not "t"."src_is_snapshot", "t"."src_lsn") > (%(epoch)s, %(commit)s, not %(is_snapshot)s, %(lsn)s)
)
on conflict (feed, key) where released_at is null do update
set extraction = excluded.extraction, rules = excluded.rules, suite_checksum = excluded.suite_checksum,
    payload = excluded.payload, is_core_stale = excluded.is_core_stale, is_waived = false,
    last_tried_at = clock_timestamp(), tries = q.tries + 1
where ((q.payload->>'src_epoch')::integer, (q.payload->>'src_commit')::bigint, not (q.payload->>'src_is_snapshot')::boolean, (q.payload->>'src_lsn')::bigint) <= (%(epoch)s, %(commit)s, not %(is_snapshot)s, %(lsn)s);

-- truncate: keys that are older than a TRUNCATE
select to_jsonb(t."campaign_id") from "core"."campaigns" t
where not t.is_deleted and ("t"."src_epoch", "t"."src_commit", not "t"."src_is_snapshot", "t"."src_lsn") < (%(epoch)s, %(commit)s, not %(is_snapshot)s, %(lsn)s)
union
select q.payload->'campaign_id' from ops.quarantine q
where q.feed = 'campaigns' and q.released_at is null and ((q.payload->>'src_epoch')::integer, (q.payload->>'src_commit')::bigint, not (q.payload->>'src_is_snapshot')::boolean, (q.payload->>'src_lsn')::bigint) < (%(epoch)s, %(commit)s, not %(is_snapshot)s, %(lsn)s);

-- sweep: keys of earlier epochs
with waiting as (
    select key, max((payload->>'src_epoch')::integer) as epoch from ops.quarantine
    where feed = 'campaigns' and released_at is null group by key
)
select to_jsonb(t."campaign_id") from "core"."campaigns" t left join waiting w on w.key = t."campaign_id"::text
where t.src_epoch < 7 and not t.is_deleted and coalesce(w.epoch, 0) < 7
union
select q.payload->'campaign_id' from ops.quarantine q join waiting w using (key)
where q.feed = 'campaigns' and q.released_at is null and w.epoch < 7
  and not exists (select from "core"."campaigns" t where t."campaign_id"::text = q.key and t.src_epoch >= 7);

-- sweep: which of some keys the source has
select "id"::text from "promptads"."campaigns" where "id" = any(%s::uuid[]);

-- waive: lock the row
select from "core"."campaigns" t where t."campaign_id" = (
    select key::uuid from ops.quarantine where quarantine_id = %(id)s and feed = 'campaigns'
) for update;

-- waive: release the row of quarantine
with held as (
    update ops.quarantine set is_waived = true
    where quarantine_id = %(id)s and feed = 'campaigns' and released_at is null
    returning payload as _payload, last_tried_at as _last_tried_at
)
select to_jsonb("campaign_id"), jsonb_build_object('id'::text, "campaign_id", 'user_id'::text, "user_id", 'name'::text, "name",
        'objective'::text, "objective", 'budget'::text, "budget"::text,
        'currency_code'::text, "currency_code", 'status'::text, "status", 'start_date'::text, "starts_at",
        'end_date'::text, "ends_at", 'created_at'::text, "created_at", 'updated_at'::text, "updated_at",
        'deleted_at'::text, "deleted_at") - array_remove(array[case when not _payload ? 'campaign_id' then 'id' end,
        case when not _payload ? 'user_id' then 'user_id' end,
        case when not _payload ? 'name' then 'name' end,
        case when not _payload ? 'objective' then 'objective' end,
        case when not _payload ? 'budget' then 'budget' end,
        case when not _payload ? 'currency_code' then 'currency_code' end,
        case when not _payload ? 'status' then 'status' end,
        case when not _payload ? 'starts_at' then 'start_date' end,
        case when not _payload ? 'ends_at' then 'end_date' end,
        case when not _payload ? 'created_at' then 'created_at' end,
        case when not _payload ? 'updated_at' then 'updated_at' end,
        case when not _payload ? 'deleted_at' then 'deleted_at' end]::text[], null), "x"."src_epoch", "x"."src_commit", "x"."src_lsn", "x"."src_is_snapshot",
       coalesce(committed_at, _last_tried_at)
from held cross join lateral jsonb_to_record(_payload) as x("campaign_id" uuid, "user_id" uuid, "name" text, "objective" text, "budget" numeric,
        "currency_code" text, "status" text, "starts_at" timestamp with time zone,
        "ends_at" timestamp with time zone, "created_at" timestamp with time zone,
        "updated_at" timestamp with time zone, "deleted_at" timestamp with time zone,
        "src_epoch" integer, "src_commit" bigint, "src_lsn" bigint, "src_is_snapshot" boolean,
        committed_at timestamptz);

-- judge again: open rows of quarantine
select _id, to_jsonb("campaign_id"), jsonb_build_object('id'::text, "campaign_id", 'user_id'::text, "user_id", 'name'::text, "name",
        'objective'::text, "objective", 'budget'::text, "budget"::text,
        'currency_code'::text, "currency_code", 'status'::text, "status", 'start_date'::text, "starts_at",
        'end_date'::text, "ends_at", 'created_at'::text, "created_at", 'updated_at'::text, "updated_at",
        'deleted_at'::text, "deleted_at") - array_remove(array[case when not _payload ? 'campaign_id' then 'id' end,
        case when not _payload ? 'user_id' then 'user_id' end,
        case when not _payload ? 'name' then 'name' end,
        case when not _payload ? 'objective' then 'objective' end,
        case when not _payload ? 'budget' then 'budget' end,
        case when not _payload ? 'currency_code' then 'currency_code' end,
        case when not _payload ? 'status' then 'status' end,
        case when not _payload ? 'starts_at' then 'start_date' end,
        case when not _payload ? 'ends_at' then 'end_date' end,
        case when not _payload ? 'created_at' then 'created_at' end,
        case when not _payload ? 'updated_at' then 'updated_at' end,
        case when not _payload ? 'deleted_at' then 'deleted_at' end]::text[], null), _payload::text, "x"."src_epoch", "x"."src_commit", "x"."src_lsn", "x"."src_is_snapshot",
       coalesce(committed_at, _tried_at), clock_timestamp(), _rules, _checksum
from (
    select quarantine_id as _id, payload as _payload, rules as _rules, suite_checksum as _checksum,
           last_tried_at as _tried_at
    from ops.quarantine
    where feed = 'campaigns' and released_at is null and quarantine_id > %(after)s and not (
        rules <@ %(refused)s and suite_checksum = %(checksum)s
        and last_tried_at > clock_timestamp() - interval '1 day'
    )
    order by quarantine_id limit %(rows)s
) q cross join lateral jsonb_to_record(_payload) as x("campaign_id" uuid, "user_id" uuid, "name" text, "objective" text, "budget" numeric,
        "currency_code" text, "status" text, "starts_at" timestamp with time zone,
        "ends_at" timestamp with time zone, "created_at" timestamp with time zone,
        "updated_at" timestamp with time zone, "deleted_at" timestamp with time zone,
        "src_epoch" integer, "src_commit" bigint, "src_lsn" bigint, "src_is_snapshot" boolean,
        committed_at timestamptz)
order by _id;

-- check: the living rows
select * from "core"."campaigns" t where not is_deleted;

-- check: the living rows that were loaded since a time
select * from "core"."campaigns" t where not is_deleted
    and _loaded_at >= '2026-01-02 03:04:05+00:00'::timestamptz and not exists (
        select from ops.quarantine q
        where q.feed = 'campaigns' and q.key = t."campaign_id"::text and q.release_reason = 'waived'
          and ((q.payload->>'src_epoch')::integer, (q.payload->>'src_lsn')::bigint,
               (q.payload->>'src_is_snapshot')::boolean) = (t.src_epoch, t.src_lsn, t.src_is_snapshot)
    );

-- audit: whether anything has come since a time
select exists (select from ops.stream_offset where topic = %(topic)s and applied_at > %(since)s)
    or exists (select from "core"."campaigns" where _loaded_at > %(since)s);

-- audit: rows and sums by hour of the warehouse
select date_trunc('hour', updated_at, 'UTC'), count(*), sum("budget"),
       sum(('x' || left(encode(sha256(convert_to((jsonb_build_object('campaign_id'::text, "campaign_id", 'user_id'::text, "user_id", 'name'::text, "name",
        'objective'::text, "objective", 'budget'::text, "budget", 'currency_code'::text, "currency_code",
        'status'::text, "status", 'starts_at'::text, "starts_at", 'ends_at'::text, "ends_at",
        'created_at'::text, "created_at", 'updated_at'::text, "updated_at", 'deleted_at'::text, "deleted_at") - _missing)::text, 'UTF8')), 'hex'), 8))
           ::bit(32)::bigint)
from
(select "t"."campaign_id"::uuid as "campaign_id", "t"."user_id"::uuid as "user_id",
        "t"."name"::text as "name", "t"."objective"::text as "objective",
        round("t"."budget"::numeric, 2) as "budget", "t"."currency_code"::text as "currency_code",
        "t"."status"::text as "status", "t"."starts_at"::timestamp with time zone as "starts_at",
        "t"."ends_at"::timestamp with time zone as "ends_at",
        "t"."created_at"::timestamp with time zone as "created_at",
        "t"."updated_at"::timestamp with time zone as "updated_at",
        "t"."deleted_at"::timestamp with time zone as "deleted_at", t.is_deleted, '{}'::text[] as _missing, "t"."src_epoch", "t"."src_commit", "t"."src_lsn", "t"."src_is_snapshot"
 from "core"."campaigns" t
 where not exists (
     select from ops.quarantine q where q.feed = 'campaigns' and q.key = t."campaign_id"::text and q.released_at is null
 )
 union all
 select "x"."campaign_id"::uuid as "campaign_id", "x"."user_id"::uuid as "user_id",
        "x"."name"::text as "name", "x"."objective"::text as "objective",
        round("x"."budget"::numeric, 2) as "budget", "x"."currency_code"::text as "currency_code",
        "x"."status"::text as "status", "x"."starts_at"::timestamp with time zone as "starts_at",
        "x"."ends_at"::timestamp with time zone as "ends_at",
        "x"."created_at"::timestamp with time zone as "created_at",
        "x"."updated_at"::timestamp with time zone as "updated_at",
        "x"."deleted_at"::timestamp with time zone as "deleted_at", false, array_remove(array[case when not q.payload ? 'campaign_id' then 'campaign_id' end,
        case when not q.payload ? 'user_id' then 'user_id' end,
        case when not q.payload ? 'name' then 'name' end,
        case when not q.payload ? 'objective' then 'objective' end,
        case when not q.payload ? 'budget' then 'budget' end,
        case when not q.payload ? 'currency_code' then 'currency_code' end,
        case when not q.payload ? 'status' then 'status' end,
        case when not q.payload ? 'starts_at' then 'starts_at' end,
        case when not q.payload ? 'ends_at' then 'ends_at' end,
        case when not q.payload ? 'created_at' then 'created_at' end,
        case when not q.payload ? 'updated_at' then 'updated_at' end,
        case when not q.payload ? 'deleted_at' then 'deleted_at' end]::text[], null), "x"."src_epoch", "x"."src_commit", "x"."src_lsn", "x"."src_is_snapshot"
 from ops.quarantine q cross join lateral jsonb_to_record(q.payload) as x("campaign_id" uuid, "user_id" uuid, "name" text, "objective" text, "budget" numeric,
        "currency_code" text, "status" text, "starts_at" timestamp with time zone,
        "ends_at" timestamp with time zone, "created_at" timestamp with time zone,
        "updated_at" timestamp with time zone, "deleted_at" timestamp with time zone,
        "src_epoch" integer, "src_commit" bigint, "src_lsn" bigint, "src_is_snapshot" boolean,
        committed_at timestamptz)
 where q.feed = 'campaigns' and q.released_at is null)
as r
where not is_deleted and updated_at >= %(since)s and updated_at < %(until)s group by 1;

-- audit: keys of some hours of the warehouse
select "campaign_id"::text from
(select "t"."campaign_id"::uuid as "campaign_id", "t"."user_id"::uuid as "user_id",
        "t"."name"::text as "name", "t"."objective"::text as "objective",
        round("t"."budget"::numeric, 2) as "budget", "t"."currency_code"::text as "currency_code",
        "t"."status"::text as "status", "t"."starts_at"::timestamp with time zone as "starts_at",
        "t"."ends_at"::timestamp with time zone as "ends_at",
        "t"."created_at"::timestamp with time zone as "created_at",
        "t"."updated_at"::timestamp with time zone as "updated_at",
        "t"."deleted_at"::timestamp with time zone as "deleted_at", t.is_deleted, '{}'::text[] as _missing, "t"."src_epoch", "t"."src_commit", "t"."src_lsn", "t"."src_is_snapshot"
 from "core"."campaigns" t
 where not exists (
     select from ops.quarantine q where q.feed = 'campaigns' and q.key = t."campaign_id"::text and q.released_at is null
 )
 union all
 select "x"."campaign_id"::uuid as "campaign_id", "x"."user_id"::uuid as "user_id",
        "x"."name"::text as "name", "x"."objective"::text as "objective",
        round("x"."budget"::numeric, 2) as "budget", "x"."currency_code"::text as "currency_code",
        "x"."status"::text as "status", "x"."starts_at"::timestamp with time zone as "starts_at",
        "x"."ends_at"::timestamp with time zone as "ends_at",
        "x"."created_at"::timestamp with time zone as "created_at",
        "x"."updated_at"::timestamp with time zone as "updated_at",
        "x"."deleted_at"::timestamp with time zone as "deleted_at", false, array_remove(array[case when not q.payload ? 'campaign_id' then 'campaign_id' end,
        case when not q.payload ? 'user_id' then 'user_id' end,
        case when not q.payload ? 'name' then 'name' end,
        case when not q.payload ? 'objective' then 'objective' end,
        case when not q.payload ? 'budget' then 'budget' end,
        case when not q.payload ? 'currency_code' then 'currency_code' end,
        case when not q.payload ? 'status' then 'status' end,
        case when not q.payload ? 'starts_at' then 'starts_at' end,
        case when not q.payload ? 'ends_at' then 'ends_at' end,
        case when not q.payload ? 'created_at' then 'created_at' end,
        case when not q.payload ? 'updated_at' then 'updated_at' end,
        case when not q.payload ? 'deleted_at' then 'deleted_at' end]::text[], null), "x"."src_epoch", "x"."src_commit", "x"."src_lsn", "x"."src_is_snapshot"
 from ops.quarantine q cross join lateral jsonb_to_record(q.payload) as x("campaign_id" uuid, "user_id" uuid, "name" text, "objective" text, "budget" numeric,
        "currency_code" text, "status" text, "starts_at" timestamp with time zone,
        "ends_at" timestamp with time zone, "created_at" timestamp with time zone,
        "updated_at" timestamp with time zone, "deleted_at" timestamp with time zone,
        "src_epoch" integer, "src_commit" bigint, "src_lsn" bigint, "src_is_snapshot" boolean,
        committed_at timestamptz)
 where q.feed = 'campaigns' and q.released_at is null)
as r
where not is_deleted and updated_at >= %s and updated_at < %s
  and date_trunc('hour', updated_at, 'UTC') = any(%s);

-- audit: digests by bucket of the warehouse
select ('x' || left(encode(sha256(convert_to("campaign_id"::text, 'UTF8')), 'hex'), 3))::bit(12)::int, count(*), sum(
('x' || left(encode(sha256(convert_to((jsonb_build_object('campaign_id'::text, "campaign_id", 'user_id'::text, "user_id", 'name'::text, "name",
            'objective'::text, "objective", 'budget'::text, "budget", 'currency_code'::text, "currency_code",
            'status'::text, "status", 'starts_at'::text, "starts_at", 'ends_at'::text, "ends_at",
            'created_at'::text, "created_at", 'updated_at'::text, "updated_at", 'deleted_at'::text, "deleted_at") - _missing)::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint
)
from
    (select "t"."campaign_id"::uuid as "campaign_id", "t"."user_id"::uuid as "user_id",
            "t"."name"::text as "name", "t"."objective"::text as "objective",
            round("t"."budget"::numeric, 2) as "budget", "t"."currency_code"::text as "currency_code",
            "t"."status"::text as "status", "t"."starts_at"::timestamp with time zone as "starts_at",
            "t"."ends_at"::timestamp with time zone as "ends_at",
            "t"."created_at"::timestamp with time zone as "created_at",
            "t"."updated_at"::timestamp with time zone as "updated_at",
            "t"."deleted_at"::timestamp with time zone as "deleted_at", t.is_deleted, '{}'::text[] as _missing, "t"."src_epoch", "t"."src_commit", "t"."src_lsn", "t"."src_is_snapshot"
     from "core"."campaigns" t
     where not exists (
         select from ops.quarantine q where q.feed = 'campaigns' and q.key = t."campaign_id"::text and q.released_at is null
     )
     union all
     select "x"."campaign_id"::uuid as "campaign_id", "x"."user_id"::uuid as "user_id",
            "x"."name"::text as "name", "x"."objective"::text as "objective",
            round("x"."budget"::numeric, 2) as "budget", "x"."currency_code"::text as "currency_code",
            "x"."status"::text as "status", "x"."starts_at"::timestamp with time zone as "starts_at",
            "x"."ends_at"::timestamp with time zone as "ends_at",
            "x"."created_at"::timestamp with time zone as "created_at",
            "x"."updated_at"::timestamp with time zone as "updated_at",
            "x"."deleted_at"::timestamp with time zone as "deleted_at", false, array_remove(array[case when not q.payload ? 'campaign_id' then 'campaign_id' end,
            case when not q.payload ? 'user_id' then 'user_id' end,
            case when not q.payload ? 'name' then 'name' end,
            case when not q.payload ? 'objective' then 'objective' end,
            case when not q.payload ? 'budget' then 'budget' end,
            case when not q.payload ? 'currency_code' then 'currency_code' end,
            case when not q.payload ? 'status' then 'status' end,
            case when not q.payload ? 'starts_at' then 'starts_at' end,
            case when not q.payload ? 'ends_at' then 'ends_at' end,
            case when not q.payload ? 'created_at' then 'created_at' end,
            case when not q.payload ? 'updated_at' then 'updated_at' end,
            case when not q.payload ? 'deleted_at' then 'deleted_at' end]::text[], null), "x"."src_epoch", "x"."src_commit", "x"."src_lsn", "x"."src_is_snapshot"
     from ops.quarantine q cross join lateral jsonb_to_record(q.payload) as x("campaign_id" uuid, "user_id" uuid, "name" text, "objective" text, "budget" numeric,
            "currency_code" text, "status" text, "starts_at" timestamp with time zone,
            "ends_at" timestamp with time zone, "created_at" timestamp with time zone,
            "updated_at" timestamp with time zone, "deleted_at" timestamp with time zone,
            "src_epoch" integer, "src_commit" bigint, "src_lsn" bigint, "src_is_snapshot" boolean,
            committed_at timestamptz)
     where q.feed = 'campaigns' and q.released_at is null)
 r
where not is_deleted
group by 1;

-- audit: digests by key of the warehouse
select "campaign_id"::text collate "C" as key,
('x' || left(encode(sha256(convert_to((jsonb_build_object('campaign_id'::text, "campaign_id", 'user_id'::text, "user_id", 'name'::text, "name",
            'objective'::text, "objective", 'budget'::text, "budget", 'currency_code'::text, "currency_code",
            'status'::text, "status", 'starts_at'::text, "starts_at", 'ends_at'::text, "ends_at",
            'created_at'::text, "created_at", 'updated_at'::text, "updated_at", 'deleted_at'::text, "deleted_at") - _missing)::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint
as digest, null::timestamptz as changed_at
from
    (select "t"."campaign_id"::uuid as "campaign_id", "t"."user_id"::uuid as "user_id",
            "t"."name"::text as "name", "t"."objective"::text as "objective",
            round("t"."budget"::numeric, 2) as "budget", "t"."currency_code"::text as "currency_code",
            "t"."status"::text as "status", "t"."starts_at"::timestamp with time zone as "starts_at",
            "t"."ends_at"::timestamp with time zone as "ends_at",
            "t"."created_at"::timestamp with time zone as "created_at",
            "t"."updated_at"::timestamp with time zone as "updated_at",
            "t"."deleted_at"::timestamp with time zone as "deleted_at", t.is_deleted, '{}'::text[] as _missing, "t"."src_epoch", "t"."src_commit", "t"."src_lsn", "t"."src_is_snapshot"
     from "core"."campaigns" t
     where not exists (
         select from ops.quarantine q where q.feed = 'campaigns' and q.key = t."campaign_id"::text and q.released_at is null
     )
     union all
     select "x"."campaign_id"::uuid as "campaign_id", "x"."user_id"::uuid as "user_id",
            "x"."name"::text as "name", "x"."objective"::text as "objective",
            round("x"."budget"::numeric, 2) as "budget", "x"."currency_code"::text as "currency_code",
            "x"."status"::text as "status", "x"."starts_at"::timestamp with time zone as "starts_at",
            "x"."ends_at"::timestamp with time zone as "ends_at",
            "x"."created_at"::timestamp with time zone as "created_at",
            "x"."updated_at"::timestamp with time zone as "updated_at",
            "x"."deleted_at"::timestamp with time zone as "deleted_at", false, array_remove(array[case when not q.payload ? 'campaign_id' then 'campaign_id' end,
            case when not q.payload ? 'user_id' then 'user_id' end,
            case when not q.payload ? 'name' then 'name' end,
            case when not q.payload ? 'objective' then 'objective' end,
            case when not q.payload ? 'budget' then 'budget' end,
            case when not q.payload ? 'currency_code' then 'currency_code' end,
            case when not q.payload ? 'status' then 'status' end,
            case when not q.payload ? 'starts_at' then 'starts_at' end,
            case when not q.payload ? 'ends_at' then 'ends_at' end,
            case when not q.payload ? 'created_at' then 'created_at' end,
            case when not q.payload ? 'updated_at' then 'updated_at' end,
            case when not q.payload ? 'deleted_at' then 'deleted_at' end]::text[], null), "x"."src_epoch", "x"."src_commit", "x"."src_lsn", "x"."src_is_snapshot"
     from ops.quarantine q cross join lateral jsonb_to_record(q.payload) as x("campaign_id" uuid, "user_id" uuid, "name" text, "objective" text, "budget" numeric,
            "currency_code" text, "status" text, "starts_at" timestamp with time zone,
            "ends_at" timestamp with time zone, "created_at" timestamp with time zone,
            "updated_at" timestamp with time zone, "deleted_at" timestamp with time zone,
            "src_epoch" integer, "src_commit" bigint, "src_lsn" bigint, "src_is_snapshot" boolean,
            committed_at timestamptz)
     where q.feed = 'campaigns' and q.released_at is null)
 r
where not is_deleted and ('x' || left(encode(sha256(convert_to("campaign_id"::text, 'UTF8')), 'hex'), 3))::bit(12)::int = any(%(buckets)s)
order by 1;

-- audit: digests of some keys of the warehouse
select "campaign_id"::text,
('x' || left(encode(sha256(convert_to((jsonb_build_object('campaign_id'::text, "campaign_id", 'user_id'::text, "user_id", 'name'::text, "name",
            'objective'::text, "objective", 'budget'::text, "budget", 'currency_code'::text, "currency_code",
            'status'::text, "status", 'starts_at'::text, "starts_at", 'ends_at'::text, "ends_at",
            'created_at'::text, "created_at", 'updated_at'::text, "updated_at", 'deleted_at'::text, "deleted_at") - _missing)::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint
from
    (select "t"."campaign_id"::uuid as "campaign_id", "t"."user_id"::uuid as "user_id",
            "t"."name"::text as "name", "t"."objective"::text as "objective",
            round("t"."budget"::numeric, 2) as "budget", "t"."currency_code"::text as "currency_code",
            "t"."status"::text as "status", "t"."starts_at"::timestamp with time zone as "starts_at",
            "t"."ends_at"::timestamp with time zone as "ends_at",
            "t"."created_at"::timestamp with time zone as "created_at",
            "t"."updated_at"::timestamp with time zone as "updated_at",
            "t"."deleted_at"::timestamp with time zone as "deleted_at", t.is_deleted, '{}'::text[] as _missing, "t"."src_epoch", "t"."src_commit", "t"."src_lsn", "t"."src_is_snapshot"
     from "core"."campaigns" t
     where not exists (
         select from ops.quarantine q where q.feed = 'campaigns' and q.key = t."campaign_id"::text and q.released_at is null
     )
     union all
     select "x"."campaign_id"::uuid as "campaign_id", "x"."user_id"::uuid as "user_id",
            "x"."name"::text as "name", "x"."objective"::text as "objective",
            round("x"."budget"::numeric, 2) as "budget", "x"."currency_code"::text as "currency_code",
            "x"."status"::text as "status", "x"."starts_at"::timestamp with time zone as "starts_at",
            "x"."ends_at"::timestamp with time zone as "ends_at",
            "x"."created_at"::timestamp with time zone as "created_at",
            "x"."updated_at"::timestamp with time zone as "updated_at",
            "x"."deleted_at"::timestamp with time zone as "deleted_at", false, array_remove(array[case when not q.payload ? 'campaign_id' then 'campaign_id' end,
            case when not q.payload ? 'user_id' then 'user_id' end,
            case when not q.payload ? 'name' then 'name' end,
            case when not q.payload ? 'objective' then 'objective' end,
            case when not q.payload ? 'budget' then 'budget' end,
            case when not q.payload ? 'currency_code' then 'currency_code' end,
            case when not q.payload ? 'status' then 'status' end,
            case when not q.payload ? 'starts_at' then 'starts_at' end,
            case when not q.payload ? 'ends_at' then 'ends_at' end,
            case when not q.payload ? 'created_at' then 'created_at' end,
            case when not q.payload ? 'updated_at' then 'updated_at' end,
            case when not q.payload ? 'deleted_at' then 'deleted_at' end]::text[], null), "x"."src_epoch", "x"."src_commit", "x"."src_lsn", "x"."src_is_snapshot"
     from ops.quarantine q cross join lateral jsonb_to_record(q.payload) as x("campaign_id" uuid, "user_id" uuid, "name" text, "objective" text, "budget" numeric,
            "currency_code" text, "status" text, "starts_at" timestamp with time zone,
            "ends_at" timestamp with time zone, "created_at" timestamp with time zone,
            "updated_at" timestamp with time zone, "deleted_at" timestamp with time zone,
            "src_epoch" integer, "src_commit" bigint, "src_lsn" bigint, "src_is_snapshot" boolean,
            committed_at timestamptz)
     where q.feed = 'campaigns' and q.released_at is null)
 r
where not is_deleted and "campaign_id" = any(%(keys)s::uuid[]);

-- audit: rows and sums by hour of the source
select date_trunc('hour', updated_at, 'UTC'), count(*), sum("budget"),
       sum(('x' || left(encode(sha256(convert_to((jsonb_build_object('campaign_id'::text, "campaign_id", 'user_id'::text, "user_id", 'name'::text, "name",
        'objective'::text, "objective", 'budget'::text, "budget", 'currency_code'::text, "currency_code",
        'status'::text, "status", 'starts_at'::text, "starts_at", 'ends_at'::text, "ends_at",
        'created_at'::text, "created_at", 'updated_at'::text, "updated_at", 'deleted_at'::text, "deleted_at") - _missing)::text, 'UTF8')), 'hex'), 8))
           ::bit(32)::bigint)
from
(select "s"."id"::uuid as "campaign_id",
        case when "s"."user_id"::uuid::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ',')))
            then '00000000-0000-0000-0000-000000000000' else "s"."user_id"::uuid end as "user_id",
        case when "s"."name"::text::text collate "C" ~  E'[@+]|\\u002540|\\u00252[Bb]|(?:^|[^0-9])0[0-9]|[0-9][ .)-]' then regexp_replace(regexp_replace("s"."name"::text::text collate "C",  E'(?:\\+|\\u00252[Bb])[ (]?[0-9](?:[ ./()-]{0,3}[0-9]){6,22}|(?<![0-9A-Za-z_.,-])\\(?0(?:[0-9]{2}(?:[ ./()-]{0,3}[0-9]){6,22}|[1-9](?:[ .-][0-9]{2}){4})(?!-?[0-9A-Za-z_])|(?<![0-9A-Za-z_.,-])(?:1[ .-])?(?:\\([2-9][0-9]{2}\\) ?|[2-9][0-9]{2}[ .-])[2-9][0-9]{2}[ .-][0-9]{4}(?!-?[0-9A-Za-z_])', '***', 'g'),  E'[^ \\t\\n\\r\\f\\v<>()\\[\\]{}",;:|/?&=#]+(?:@|\\u002540)[^ \\t\\n\\r\\f\\v<>()\\[\\]{}",;:|/?&=#]+[.][^ \\t\\n\\r\\f\\v<>()\\[\\]{}",;:|/?&=#]+', '***', 'g') else "s"."name"::text::text end as "name",
        "s"."objective"::text as "objective", round("s"."budget"::numeric, 2) as "budget",
        "s"."currency_code"::text as "currency_code", "s"."status"::text as "status",
        "s"."start_date"::timestamp with time zone as "starts_at",
        "s"."end_date"::timestamp with time zone as "ends_at",
        "s"."created_at"::timestamp with time zone as "created_at",
        "s"."updated_at"::timestamp with time zone as "updated_at",
        "s"."deleted_at"::timestamp with time zone as "deleted_at", false as is_deleted, '{}'::text[] as _missing
 from "promptads"."campaigns" as s
 where not "s"."id"::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ','))))
as r
where not is_deleted and updated_at >= %(since)s and updated_at < %(until)s group by 1;

-- audit: keys of some hours of the source
select "campaign_id"::text from
(select "s"."id"::uuid as "campaign_id",
        case when "s"."user_id"::uuid::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ',')))
            then '00000000-0000-0000-0000-000000000000' else "s"."user_id"::uuid end as "user_id",
        case when "s"."name"::text::text collate "C" ~  E'[@+]|\\u002540|\\u00252[Bb]|(?:^|[^0-9])0[0-9]|[0-9][ .)-]' then regexp_replace(regexp_replace("s"."name"::text::text collate "C",  E'(?:\\+|\\u00252[Bb])[ (]?[0-9](?:[ ./()-]{0,3}[0-9]){6,22}|(?<![0-9A-Za-z_.,-])\\(?0(?:[0-9]{2}(?:[ ./()-]{0,3}[0-9]){6,22}|[1-9](?:[ .-][0-9]{2}){4})(?!-?[0-9A-Za-z_])|(?<![0-9A-Za-z_.,-])(?:1[ .-])?(?:\\([2-9][0-9]{2}\\) ?|[2-9][0-9]{2}[ .-])[2-9][0-9]{2}[ .-][0-9]{4}(?!-?[0-9A-Za-z_])', '***', 'g'),  E'[^ \\t\\n\\r\\f\\v<>()\\[\\]{}",;:|/?&=#]+(?:@|\\u002540)[^ \\t\\n\\r\\f\\v<>()\\[\\]{}",;:|/?&=#]+[.][^ \\t\\n\\r\\f\\v<>()\\[\\]{}",;:|/?&=#]+', '***', 'g') else "s"."name"::text::text end as "name",
        "s"."objective"::text as "objective", round("s"."budget"::numeric, 2) as "budget",
        "s"."currency_code"::text as "currency_code", "s"."status"::text as "status",
        "s"."start_date"::timestamp with time zone as "starts_at",
        "s"."end_date"::timestamp with time zone as "ends_at",
        "s"."created_at"::timestamp with time zone as "created_at",
        "s"."updated_at"::timestamp with time zone as "updated_at",
        "s"."deleted_at"::timestamp with time zone as "deleted_at", false as is_deleted, '{}'::text[] as _missing
 from "promptads"."campaigns" as s
 where not "s"."id"::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ','))))
as r
where not is_deleted and updated_at >= %s and updated_at < %s
  and date_trunc('hour', updated_at, 'UTC') = any(%s);

-- audit: digests by bucket of the source
select ('x' || left(encode(sha256(convert_to("campaign_id"::text, 'UTF8')), 'hex'), 3))::bit(12)::int, count(*), sum(
('x' || left(encode(sha256(convert_to((jsonb_build_object('campaign_id'::text, "campaign_id", 'user_id'::text, "user_id", 'name'::text, "name",
            'objective'::text, "objective", 'budget'::text, "budget", 'currency_code'::text, "currency_code",
            'status'::text, "status", 'starts_at'::text, "starts_at", 'ends_at'::text, "ends_at",
            'created_at'::text, "created_at", 'updated_at'::text, "updated_at", 'deleted_at'::text, "deleted_at") - _missing)::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint
)
from
    (select "s"."id"::uuid as "campaign_id",
            case when "s"."user_id"::uuid::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ',')))
                then '00000000-0000-0000-0000-000000000000' else "s"."user_id"::uuid end as "user_id",
            case when "s"."name"::text::text collate "C" ~  E'[@+]|\\u002540|\\u00252[Bb]|(?:^|[^0-9])0[0-9]|[0-9][ .)-]' then regexp_replace(regexp_replace("s"."name"::text::text collate "C",  E'(?:\\+|\\u00252[Bb])[ (]?[0-9](?:[ ./()-]{0,3}[0-9]){6,22}|(?<![0-9A-Za-z_.,-])\\(?0(?:[0-9]{2}(?:[ ./()-]{0,3}[0-9]){6,22}|[1-9](?:[ .-][0-9]{2}){4})(?!-?[0-9A-Za-z_])|(?<![0-9A-Za-z_.,-])(?:1[ .-])?(?:\\([2-9][0-9]{2}\\) ?|[2-9][0-9]{2}[ .-])[2-9][0-9]{2}[ .-][0-9]{4}(?!-?[0-9A-Za-z_])', '***', 'g'),  E'[^ \\t\\n\\r\\f\\v<>()\\[\\]{}",;:|/?&=#]+(?:@|\\u002540)[^ \\t\\n\\r\\f\\v<>()\\[\\]{}",;:|/?&=#]+[.][^ \\t\\n\\r\\f\\v<>()\\[\\]{}",;:|/?&=#]+', '***', 'g') else "s"."name"::text::text end as "name",
            "s"."objective"::text as "objective", round("s"."budget"::numeric, 2) as "budget",
            "s"."currency_code"::text as "currency_code", "s"."status"::text as "status",
            "s"."start_date"::timestamp with time zone as "starts_at",
            "s"."end_date"::timestamp with time zone as "ends_at",
            "s"."created_at"::timestamp with time zone as "created_at",
            "s"."updated_at"::timestamp with time zone as "updated_at",
            "s"."deleted_at"::timestamp with time zone as "deleted_at", false as is_deleted, '{}'::text[] as _missing
     from "promptads"."campaigns" as s
     where not "s"."id"::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ','))))
 r
where not is_deleted
group by 1;

-- audit: digests by key of the source
select "campaign_id"::text collate "C" as key,
('x' || left(encode(sha256(convert_to((jsonb_build_object('campaign_id'::text, "campaign_id", 'user_id'::text, "user_id", 'name'::text, "name",
            'objective'::text, "objective", 'budget'::text, "budget", 'currency_code'::text, "currency_code",
            'status'::text, "status", 'starts_at'::text, "starts_at", 'ends_at'::text, "ends_at",
            'created_at'::text, "created_at", 'updated_at'::text, "updated_at", 'deleted_at'::text, "deleted_at") - _missing)::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint
as digest, null::timestamptz as changed_at
from
    (select "s"."id"::uuid as "campaign_id",
            case when "s"."user_id"::uuid::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ',')))
                then '00000000-0000-0000-0000-000000000000' else "s"."user_id"::uuid end as "user_id",
            case when "s"."name"::text::text collate "C" ~  E'[@+]|\\u002540|\\u00252[Bb]|(?:^|[^0-9])0[0-9]|[0-9][ .)-]' then regexp_replace(regexp_replace("s"."name"::text::text collate "C",  E'(?:\\+|\\u00252[Bb])[ (]?[0-9](?:[ ./()-]{0,3}[0-9]){6,22}|(?<![0-9A-Za-z_.,-])\\(?0(?:[0-9]{2}(?:[ ./()-]{0,3}[0-9]){6,22}|[1-9](?:[ .-][0-9]{2}){4})(?!-?[0-9A-Za-z_])|(?<![0-9A-Za-z_.,-])(?:1[ .-])?(?:\\([2-9][0-9]{2}\\) ?|[2-9][0-9]{2}[ .-])[2-9][0-9]{2}[ .-][0-9]{4}(?!-?[0-9A-Za-z_])', '***', 'g'),  E'[^ \\t\\n\\r\\f\\v<>()\\[\\]{}",;:|/?&=#]+(?:@|\\u002540)[^ \\t\\n\\r\\f\\v<>()\\[\\]{}",;:|/?&=#]+[.][^ \\t\\n\\r\\f\\v<>()\\[\\]{}",;:|/?&=#]+', '***', 'g') else "s"."name"::text::text end as "name",
            "s"."objective"::text as "objective", round("s"."budget"::numeric, 2) as "budget",
            "s"."currency_code"::text as "currency_code", "s"."status"::text as "status",
            "s"."start_date"::timestamp with time zone as "starts_at",
            "s"."end_date"::timestamp with time zone as "ends_at",
            "s"."created_at"::timestamp with time zone as "created_at",
            "s"."updated_at"::timestamp with time zone as "updated_at",
            "s"."deleted_at"::timestamp with time zone as "deleted_at", false as is_deleted, '{}'::text[] as _missing
     from "promptads"."campaigns" as s
     where not "s"."id"::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ','))))
 r
where not is_deleted and ('x' || left(encode(sha256(convert_to("campaign_id"::text, 'UTF8')), 'hex'), 3))::bit(12)::int = any(%(buckets)s)
order by 1;

-- audit: digests of some keys of the source
select "campaign_id"::text,
('x' || left(encode(sha256(convert_to((jsonb_build_object('campaign_id'::text, "campaign_id", 'user_id'::text, "user_id", 'name'::text, "name",
            'objective'::text, "objective", 'budget'::text, "budget", 'currency_code'::text, "currency_code",
            'status'::text, "status", 'starts_at'::text, "starts_at", 'ends_at'::text, "ends_at",
            'created_at'::text, "created_at", 'updated_at'::text, "updated_at", 'deleted_at'::text, "deleted_at") - _missing)::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint
from
    (select "s"."id"::uuid as "campaign_id",
            case when "s"."user_id"::uuid::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ',')))
                then '00000000-0000-0000-0000-000000000000' else "s"."user_id"::uuid end as "user_id",
            case when "s"."name"::text::text collate "C" ~  E'[@+]|\\u002540|\\u00252[Bb]|(?:^|[^0-9])0[0-9]|[0-9][ .)-]' then regexp_replace(regexp_replace("s"."name"::text::text collate "C",  E'(?:\\+|\\u00252[Bb])[ (]?[0-9](?:[ ./()-]{0,3}[0-9]){6,22}|(?<![0-9A-Za-z_.,-])\\(?0(?:[0-9]{2}(?:[ ./()-]{0,3}[0-9]){6,22}|[1-9](?:[ .-][0-9]{2}){4})(?!-?[0-9A-Za-z_])|(?<![0-9A-Za-z_.,-])(?:1[ .-])?(?:\\([2-9][0-9]{2}\\) ?|[2-9][0-9]{2}[ .-])[2-9][0-9]{2}[ .-][0-9]{4}(?!-?[0-9A-Za-z_])', '***', 'g'),  E'[^ \\t\\n\\r\\f\\v<>()\\[\\]{}",;:|/?&=#]+(?:@|\\u002540)[^ \\t\\n\\r\\f\\v<>()\\[\\]{}",;:|/?&=#]+[.][^ \\t\\n\\r\\f\\v<>()\\[\\]{}",;:|/?&=#]+', '***', 'g') else "s"."name"::text::text end as "name",
            "s"."objective"::text as "objective", round("s"."budget"::numeric, 2) as "budget",
            "s"."currency_code"::text as "currency_code", "s"."status"::text as "status",
            "s"."start_date"::timestamp with time zone as "starts_at",
            "s"."end_date"::timestamp with time zone as "ends_at",
            "s"."created_at"::timestamp with time zone as "created_at",
            "s"."updated_at"::timestamp with time zone as "updated_at",
            "s"."deleted_at"::timestamp with time zone as "deleted_at", false as is_deleted, '{}'::text[] as _missing
     from "promptads"."campaigns" as s
     where not "s"."id"::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ','))))
 r
where not is_deleted and "campaign_id" = any(%(keys)s::uuid[]);

-- audit: rows by key of the warehouse
select "campaign_id"::text, to_jsonb("campaign_id"), case when not is_deleted then (jsonb_build_object('campaign_id'::text, "campaign_id", 'user_id'::text, "user_id", 'name'::text, "name",
        'objective'::text, "objective", 'budget'::text, "budget", 'currency_code'::text, "currency_code",
        'status'::text, "status", 'starts_at'::text, "starts_at", 'ends_at'::text, "ends_at",
        'created_at'::text, "created_at", 'updated_at'::text, "updated_at", 'deleted_at'::text, "deleted_at") - _missing)::text end,
       "r"."src_epoch", "r"."src_commit", "r"."src_lsn", "r"."src_is_snapshot"
from
(select "t"."campaign_id"::uuid as "campaign_id", "t"."user_id"::uuid as "user_id",
        "t"."name"::text as "name", "t"."objective"::text as "objective",
        round("t"."budget"::numeric, 2) as "budget", "t"."currency_code"::text as "currency_code",
        "t"."status"::text as "status", "t"."starts_at"::timestamp with time zone as "starts_at",
        "t"."ends_at"::timestamp with time zone as "ends_at",
        "t"."created_at"::timestamp with time zone as "created_at",
        "t"."updated_at"::timestamp with time zone as "updated_at",
        "t"."deleted_at"::timestamp with time zone as "deleted_at", t.is_deleted, '{}'::text[] as _missing, "t"."src_epoch", "t"."src_commit", "t"."src_lsn", "t"."src_is_snapshot"
 from "core"."campaigns" t
 where not exists (
     select from ops.quarantine q where q.feed = 'campaigns' and q.key = t."campaign_id"::text and q.released_at is null
 )
 union all
 select "x"."campaign_id"::uuid as "campaign_id", "x"."user_id"::uuid as "user_id",
        "x"."name"::text as "name", "x"."objective"::text as "objective",
        round("x"."budget"::numeric, 2) as "budget", "x"."currency_code"::text as "currency_code",
        "x"."status"::text as "status", "x"."starts_at"::timestamp with time zone as "starts_at",
        "x"."ends_at"::timestamp with time zone as "ends_at",
        "x"."created_at"::timestamp with time zone as "created_at",
        "x"."updated_at"::timestamp with time zone as "updated_at",
        "x"."deleted_at"::timestamp with time zone as "deleted_at", false, array_remove(array[case when not q.payload ? 'campaign_id' then 'campaign_id' end,
        case when not q.payload ? 'user_id' then 'user_id' end,
        case when not q.payload ? 'name' then 'name' end,
        case when not q.payload ? 'objective' then 'objective' end,
        case when not q.payload ? 'budget' then 'budget' end,
        case when not q.payload ? 'currency_code' then 'currency_code' end,
        case when not q.payload ? 'status' then 'status' end,
        case when not q.payload ? 'starts_at' then 'starts_at' end,
        case when not q.payload ? 'ends_at' then 'ends_at' end,
        case when not q.payload ? 'created_at' then 'created_at' end,
        case when not q.payload ? 'updated_at' then 'updated_at' end,
        case when not q.payload ? 'deleted_at' then 'deleted_at' end]::text[], null), "x"."src_epoch", "x"."src_commit", "x"."src_lsn", "x"."src_is_snapshot"
 from ops.quarantine q cross join lateral jsonb_to_record(q.payload) as x("campaign_id" uuid, "user_id" uuid, "name" text, "objective" text, "budget" numeric,
        "currency_code" text, "status" text, "starts_at" timestamp with time zone,
        "ends_at" timestamp with time zone, "created_at" timestamp with time zone,
        "updated_at" timestamp with time zone, "deleted_at" timestamp with time zone,
        "src_epoch" integer, "src_commit" bigint, "src_lsn" bigint, "src_is_snapshot" boolean,
        committed_at timestamptz)
 where q.feed = 'campaigns' and q.released_at is null)
as r where "campaign_id" = any(%s::uuid[]);

-- audit: rows by key of the source
select "campaign_id"::text, to_jsonb("campaign_id"), (jsonb_build_object('campaign_id'::text, "campaign_id", 'user_id'::text, "user_id", 'name'::text, "name",
        'objective'::text, "objective", 'budget'::text, "budget", 'currency_code'::text, "currency_code",
        'status'::text, "status", 'starts_at'::text, "starts_at", 'ends_at'::text, "ends_at",
        'created_at'::text, "created_at", 'updated_at'::text, "updated_at", 'deleted_at'::text, "deleted_at") - _missing)::text, jsonb_build_object('id'::text, "campaign_id", 'user_id'::text, "user_id", 'name'::text, "name",
        'objective'::text, "objective", 'budget'::text, "budget"::text,
        'currency_code'::text, "currency_code", 'status'::text, "status", 'start_date'::text, "starts_at",
        'end_date'::text, "ends_at", 'created_at'::text, "created_at", 'updated_at'::text, "updated_at",
        'deleted_at'::text, "deleted_at")
from
(select "s"."id"::uuid as "campaign_id",
        case when "s"."user_id"::uuid::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ',')))
            then '00000000-0000-0000-0000-000000000000' else "s"."user_id"::uuid end as "user_id",
        case when "s"."name"::text::text collate "C" ~  E'[@+]|\\u002540|\\u00252[Bb]|(?:^|[^0-9])0[0-9]|[0-9][ .)-]' then regexp_replace(regexp_replace("s"."name"::text::text collate "C",  E'(?:\\+|\\u00252[Bb])[ (]?[0-9](?:[ ./()-]{0,3}[0-9]){6,22}|(?<![0-9A-Za-z_.,-])\\(?0(?:[0-9]{2}(?:[ ./()-]{0,3}[0-9]){6,22}|[1-9](?:[ .-][0-9]{2}){4})(?!-?[0-9A-Za-z_])|(?<![0-9A-Za-z_.,-])(?:1[ .-])?(?:\\([2-9][0-9]{2}\\) ?|[2-9][0-9]{2}[ .-])[2-9][0-9]{2}[ .-][0-9]{4}(?!-?[0-9A-Za-z_])', '***', 'g'),  E'[^ \\t\\n\\r\\f\\v<>()\\[\\]{}",;:|/?&=#]+(?:@|\\u002540)[^ \\t\\n\\r\\f\\v<>()\\[\\]{}",;:|/?&=#]+[.][^ \\t\\n\\r\\f\\v<>()\\[\\]{}",;:|/?&=#]+', '***', 'g') else "s"."name"::text::text end as "name",
        "s"."objective"::text as "objective", round("s"."budget"::numeric, 2) as "budget",
        "s"."currency_code"::text as "currency_code", "s"."status"::text as "status",
        "s"."start_date"::timestamp with time zone as "starts_at",
        "s"."end_date"::timestamp with time zone as "ends_at",
        "s"."created_at"::timestamp with time zone as "created_at",
        "s"."updated_at"::timestamp with time zone as "updated_at",
        "s"."deleted_at"::timestamp with time zone as "deleted_at", false as is_deleted, '{}'::text[] as _missing
 from "promptads"."campaigns" as s
 where not "s"."id"::text in (select unnest(string_to_array(current_setting('promptsales.erased'), ','))))
as r where "campaign_id" = any(%s::uuid[]);
