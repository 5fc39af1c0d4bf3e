-- old hash to new hash of the same value, for a stated time after a change of the key; the next load of the feed drops it
create table ops.pii_bridge (
    feed text not null,
    column_name text not null,
    old_hmac bytea not null,
    old_kid integer not null,
    new_hmac bytea not null,
    new_kid integer not null,
    expires_at timestamptz not null,
    primary key (feed, column_name, old_hmac)
);
create index on ops.pii_bridge (feed, expires_at);
comment on table ops.pii_bridge is 'Translates saved pseudonyms after a change of the hashing key; each row goes with the first load after expires_at.';
comment on column ops.pii_bridge.feed is 'The feed, named like its core table.';
comment on column ops.pii_bridge.column_name is 'The hashed column.';
comment on column ops.pii_bridge.old_hmac is 'Its value under the old key.';
comment on column ops.pii_bridge.old_kid is 'Number of the old key.';
comment on column ops.pii_bridge.new_hmac is 'The value of the same row under the new key.';
comment on column ops.pii_bridge.new_kid is 'Number of the new key.';
comment on column ops.pii_bridge.expires_at is 'Until when the row is kept.';
grant update, delete on ops.pii_bridge to warehouse_loader;
