-- how far each connector was behind, by hop, whenever stream_health looked; append-only
create table ops.stream_lag (
    connector text not null,
    noted_at timestamptz not null default clock_timestamp(),
    slot_status text,
    slot_bytes bigint,
    bus_events bigint not null,
    applied_at timestamptz,
    source_at timestamptz,
    primary key (connector, noted_at)
);
comment on table ops.stream_lag is 'How far each connector was behind, in its three hops, whenever DAG stream_health looked; append-only.';
comment on column ops.stream_lag.connector is 'Name of the connector.';
comment on column ops.stream_lag.noted_at is 'When it was looked at, UTC.';
comment on column ops.stream_lag.slot_status is 'State of its slot, as PostgreSQL says; null when there was none.';
comment on column ops.stream_lag.slot_bytes is 'Log that the source kept for the slot, in bytes.';
comment on column ops.stream_lag.bus_events is 'Events on the bus that were not applied.';
comment on column ops.stream_lag.applied_at is 'When the last event was applied, UTC.';
comment on column ops.stream_lag.source_at is 'When that event was committed at its source, UTC.';
