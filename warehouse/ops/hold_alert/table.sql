-- one row a transaction at a source that held watermarks for too long and was told; append-only. All feeds of a system wait
-- for the same one, hour after hour: the first that notes it here sends the alert
create table ops.hold_alert (
    system text not null,
    held_since timestamptz not null,
    held_by text not null,
    feed text not null,
    told_at timestamptz not null default clock_timestamp(),
    primary key (system, held_since)
);
comment on table ops.hold_alert is 'One row an alert of a held watermark, which is one a transaction that holds it; append-only.';
comment on column ops.hold_alert.system is 'The source whose feeds are held.';
comment on column ops.hold_alert.held_since is 'When the transaction began, or was prepared: with the system it tells one from another.';
comment on column ops.hold_alert.held_by is 'What held, as it was told.';
comment on column ops.hold_alert.feed is 'The feed that saw it first.';
comment on column ops.hold_alert.told_at is 'When it was told.';
