-- rows that failed a row check; at most one open row a key. The payload holds what core would: hashes, no clear text
create table ops.quarantine (
    quarantine_id bigint generated always as identity primary key,
    feed text not null,
    key text not null,
    extraction bigint not null,
    rules text[] not null,
    suite_checksum text not null,
    payload jsonb not null,
    is_core_stale boolean not null,
    first_seen_at timestamptz not null default clock_timestamp(),
    last_tried_at timestamptz not null default clock_timestamp(),
    tries integer not null default 1,
    is_waived boolean not null default false,
    released_at timestamptz,
    release_reason text check (release_reason in ('repaired', 'waived', 'suppressed')),
    check ((released_at is null) = (release_reason is null))
);
create unique index quarantine_open on ops.quarantine (feed, key) where released_at is null;
comment on table ops.quarantine is 'Rows that failed a row check, with the rules they broke; together with core they equal the source.';
comment on column ops.quarantine.quarantine_id is 'The id that `promptsales quarantine` shows and takes.';
comment on column ops.quarantine.feed is 'The feed, named like its core table.';
comment on column ops.quarantine.key is 'Key of the row at the source, as text.';
comment on column ops.quarantine.extraction is 'The extraction that last judged the row.';
comment on column ops.quarantine.rules is 'Names of the rules it broke.';
comment on column ops.quarantine.suite_checksum is 'Which expectations.yml judged it: a changed one is a reason to try again.';
comment on column ops.quarantine.payload is 'The row as core would hold it: hashes, no clear text.';
comment on column ops.quarantine.is_core_stale is 'Whether core still shows an older version of the row.';
comment on column ops.quarantine.first_seen_at is 'Since when the key is in quarantine.';
comment on column ops.quarantine.last_tried_at is 'When it was last judged.';
comment on column ops.quarantine.tries is 'How often it was judged.';
comment on column ops.quarantine.is_waived is 'Released by hand: the next load publishes this very payload in spite of the rules.';
comment on column ops.quarantine.released_at is 'When it left quarantine; null while it is in it.';
comment on column ops.quarantine.release_reason is 'repaired: the source row now passes; waived: released by hand; suppressed: the person was erased.';
grant update, delete on ops.quarantine to warehouse_loader;
