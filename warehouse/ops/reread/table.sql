-- rows a reconciliation found wrong: the first load of the feed that begins afterwards reads them, whatever their cursor
-- says. Append-only; which are still to be read follows from ops.load (promptsales/load/due.sql)
create table ops.reread (
    feed text not null,
    extraction bigint not null,
    key text not null,
    reason text not null check (reason in ('missing', 'differing', 'silent')),
    asked_at timestamptz not null default clock_timestamp(),
    primary key (feed, extraction, key)
);
comment on table ops.reread is 'Rows a reconciliation found wrong, for the next load to read again; append-only.';
comment on column ops.reread.feed is 'The feed, named like its core table.';
comment on column ops.reread.extraction is 'The feed''s last extraction when it was asked for: a later load has read the row.';
comment on column ops.reread.key is 'Key of the row at the source, as text.';
comment on column ops.reread.reason is 'missing: core lacked it; differing: core lacked its newest version; silent: it changed and its cursor did not move.';
comment on column ops.reread.asked_at is 'When it was asked for.';
