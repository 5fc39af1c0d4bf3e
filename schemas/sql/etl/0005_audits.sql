-- The frontier: no transaction that is open now began before it, so rows stamped by their own transaction before it are all
-- committed. Every open transaction of this database counts, readers too: that needs no promise about who writes.
--
-- Call it in autocommit, BEFORE the snapshot that reads the data: a writer that commits between a snapshot and this function
-- would be in neither. The caller takes a margin off, as a stamp comes microseconds before others can see its transaction.
--
-- Of a standby read_at is up to when it has replayed its primary, by the primary's clock, as rows are stamped by that: what a
-- standby does not have yet must not be passed by a look-back that counts from the present.
--
-- It belongs to a role that may see other sessions' start but not log in: the reader itself, given that right, could read
-- other sessions' statements, clear text included.
create or replace function etl.frontier(
    out frontier timestamptz,
    out read_at timestamptz,
    out is_standby boolean,
    out held_by text,
    out held_since timestamptz,
    out refused text
) language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    hidden bigint;
    blind bigint;
    in_doubt text;
    in_doubt_since timestamptz;
begin
    read_at := clock_timestamp();
    is_standby := pg_is_in_recovery();
    if not pg_has_role(current_user, 'pg_read_all_stats', 'usage') then
        refused := format('%I is no member of pg_read_all_stats, so other sessions are hidden', current_user);
        return;
    end if;

    if is_standby then
        -- the sessions seen here only read; what is open on the primary cannot be seen
        held_by := 'a standby: what is open on its primary cannot be seen';
        -- with all replayed that the primary had when it sent its last message, that moment; else the last commit or
        -- checkpoint replayed. A receiver that has been silent for long proves nothing
        select greatest(
                   pg_last_xact_replay_timestamp(),
                   (select checkpoint_time from pg_control_checkpoint()),
                   (select w.last_msg_send_time from pg_stat_wal_receiver w
                     where w.status = 'streaming' and w.latest_end_lsn <= pg_last_wal_replay_lsn()
                       and w.last_msg_receipt_time > clock_timestamp() - interval '1 minute')
               )
          into read_at;
        return;
    end if;

    -- a session may show its new transaction id before its start: ask three times before refusing
    for attempt in 1..3 loop
        perform pg_sleep(0.05 * (attempt - 1)), pg_stat_clear_snapshot();
        -- the pipeline's own sessions, its audits' and Debezium's, whose snapshot holds a transaction id, write nothing
        select least(transaction_timestamp(), min(s.xact_start)),
               count(*) filter (where s.backend_xid is not null and s.xact_start is null),
               count(*) filter (where s.state = 'disabled'),
               (array_agg(format('session %s of %s (%s, %s), open for %s', s.pid, s.usename,
                                 coalesce(nullif(s.application_name, ''), 'no application name'), s.state,
                                 date_trunc('second', clock_timestamp() - s.xact_start))
                          order by s.xact_start) filter (where s.xact_start is not null))[1],
               min(s.xact_start)
          into frontier, hidden, blind, held_by, held_since
          from pg_stat_activity s
         where s.datname = current_database()
           and s.pid <> pg_backend_pid()
           and s.backend_type is distinct from 'autovacuum worker'
           and s.usename is distinct from 'etl_reader'
           and s.usename is distinct from 'etl_audit'
           and s.usename is distinct from 'cdc';
        exit when hidden = 0;
    end loop;
    if hidden > 0 then
        refused := format('%s sessions have written but hide since when', hidden);
    elsif blind > 0 then
        refused := format('%s sessions have track_activities switched off', blind);
    end if;

    -- after the activity, never before: a transaction enters this list as it leaves the other. It tells when a transaction
    -- was prepared, not when it began, so nothing may advance while there is one
    select format('prepared transaction %L of %s, prepared %s ago', p.gid, p.owner,
                  date_trunc('second', clock_timestamp() - p.prepared)), p.prepared
      into in_doubt, in_doubt_since
      from pg_prepared_xacts p
     where p.database = current_database()
     order by p.prepared
     limit 1;
    if in_doubt is not null then
        held_by := in_doubt;
        held_since := in_doubt_since;
    end if;
    if refused is not null or in_doubt is not null then
        frontier := null;
    end if;
end $$;
comment on function etl.frontier() is
    'Start of the oldest open transaction; null where it cannot be known (standby, prepared transactions, refused).';
