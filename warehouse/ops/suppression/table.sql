-- erased persons: a reload or replay must not bring them back
create table ops.suppression (
    feed text not null,
    key text not null,
    person_hmac bytea,
    suppressed_at timestamptz not null default clock_timestamp(),
    primary key (feed, key)
);
create index on ops.suppression (person_hmac);
comment on table ops.suppression is 'Erased persons: rows that no load may bring back.';
comment on column ops.suppression.feed is 'The feed, named like its core table.';
comment on column ops.suppression.key is 'Key of the erased row at the source, as text.';
comment on column ops.suppression.person_hmac is 'Keyed hash of the person''s e-mail address, where one was known.';
comment on column ops.suppression.suppressed_at is 'When the person was erased.';
grant update, delete on ops.suppression to warehouse_loader;
