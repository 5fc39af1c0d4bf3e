-- one row a Debezium connector that was applied: which source it reads, under which epoch
create table ops.connector (
    connector text primary key,
    epoch integer not null check (epoch > 0),
    system_identifier text not null,
    started_at timestamptz not null default clock_timestamp()
);
comment on table ops.connector is 'Debezium connectors that were applied, and the epoch their events carry.';
comment on column ops.connector.connector is 'Name of the connector, which is that of its system, slot and publication.';
comment on column ops.connector.epoch is 'Rank of all its events above those of earlier epochs, whose log positions may be higher: a restored source begins a new one.';
comment on column ops.connector.system_identifier is 'Which cluster it reads: another one needs a new epoch.';
comment on column ops.connector.started_at is 'When the epoch began.';
grant update, delete on ops.connector to warehouse_loader;
