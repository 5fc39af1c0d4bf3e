-- etl.frontier() as a query, for a source where nothing may be created; see schemas/sql/etl for the why of each condition.
-- The lateral join has prepared transactions looked up after the sessions, never before.
select
    case
        when s.is_standby or s.is_hidden or s.hidden > 0 or s.blind > 0 or p.in_doubt is not null then null
        else s.frontier
    end as frontier,
    case
        when s.is_standby then greatest(
            pg_last_xact_replay_timestamp(),
            (select checkpoint_time from pg_control_checkpoint()),
            (
                select w.last_msg_send_time from pg_stat_wal_receiver w
                where w.status = 'streaming' and w.latest_end_lsn <= pg_last_wal_replay_lsn()
                  and w.last_msg_receipt_time > clock_timestamp() - interval '1 minute'
            )
        )
        else clock_timestamp()
    end as read_at,
    s.is_standby,
    s.is_hidden,
    coalesce(p.in_doubt, s.held_by) as held_by,
    case when p.in_doubt is null then s.held_since else p.in_doubt_since end as held_since,
    case
        when s.is_standby or s.is_hidden then null
        when s.hidden > 0 then format('%s sessions have written but hide since when', s.hidden)
        when s.blind > 0 then format('%s sessions have track_activities switched off', s.blind)
    end as refused
from (
    select
        pg_is_in_recovery() as is_standby,
        not pg_has_role(current_user, 'pg_read_all_stats', 'usage') as is_hidden,
        least(transaction_timestamp(), min(xact_start)) as frontier,
        count(*) filter (where backend_xid is not null and xact_start is null) as hidden,
        count(*) filter (where state = 'disabled') as blind,
        (array_agg(
            format(
                'session %s of %s (%s, %s), open for %s', pid, usename,
                coalesce(nullif(application_name, ''), 'no application name'), state,
                date_trunc('second', clock_timestamp() - xact_start)
            )
            order by xact_start
        ) filter (where xact_start is not null))[1] as held_by,
        case when not pg_is_in_recovery() then min(xact_start) end as held_since
    from pg_stat_activity
    where datname = current_database()
      and pid <> pg_backend_pid()
      and backend_type is distinct from 'autovacuum worker'
      and usename is distinct from current_user
      and usename is distinct from 'etl_audit'
      and usename is distinct from 'cdc'
) as s
cross join lateral (
    select
        (array_agg(
            format(
                'prepared transaction %L of %s, prepared %s ago', gid, owner,
                date_trunc('second', clock_timestamp() - prepared)
            )
            order by prepared
        ))[1] as in_doubt,
        min(prepared) as in_doubt_since
    from pg_prepared_xacts
    where database = current_database() and s.hidden is not null
) as p
