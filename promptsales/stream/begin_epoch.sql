insert into ops.connector (connector, epoch, system_identifier) values (%s, %s, %s)
on conflict (connector) do update
set epoch = excluded.epoch, system_identifier = excluded.system_identifier, started_at = clock_timestamp()
