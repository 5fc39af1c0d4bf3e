-- one row a change of the hashing key that was started on purpose: a load accepts a newer key only if it is named here
create table ops.pii_rotation (
    kid integer primary key,
    check_hmac bytea not null,
    bridge_days integer not null check (bridge_days >= 0),
    started_at timestamptz not null default clock_timestamp(),
    finished_at timestamptz
);
create unique index pii_rotation_open on ops.pii_rotation ((true)) where finished_at is null;
comment on table ops.pii_rotation is 'Changes of the hashing key started by `promptsales pii rotate`; at most one is open.';
comment on column ops.pii_rotation.kid is 'Number of the new key.';
comment on column ops.pii_rotation.check_hmac is 'HMAC of a fixed text with the new key: tells it from any other key.';
comment on column ops.pii_rotation.bridge_days is 'For how many days old hashes can be translated, counted from the reload of each feed.';
comment on column ops.pii_rotation.started_at is 'When it was started.';
comment on column ops.pii_rotation.finished_at is 'When every database and every hashed feed had the new key; null until then.';
grant update on ops.pii_rotation to warehouse_loader;
