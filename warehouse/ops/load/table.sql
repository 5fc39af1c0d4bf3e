-- one row a load, written in the transaction that publishes it; append-only
create table ops.load (
    feed text not null references ops.feed,
    extraction bigint not null,
    mode text not null check (mode in ('delta', 'window')),
    window_start timestamptz,
    window_end timestamptz,
    read_at timestamptz not null,
    extracted bigint not null,
    inserted bigint not null,
    updated bigint not null,
    unchanged bigint not null,
    quarantined bigint not null,
    suppressed bigint not null,
    checks_passed integer not null,
    checks_failed integer not null,
    last_sync_timestamp timestamptz,
    complete_through timestamptz,
    triggered_by text not null,
    started_at timestamptz not null,
    published_at timestamptz not null default clock_timestamp(),
    primary key (feed, extraction),
    check (extracted = inserted + updated + unchanged + quarantined + suppressed)
);
comment on table ops.load is 'One row a load: its window, its counts and what was complete after it; append-only.';
comment on column ops.load.feed is 'The feed, named like its core table.';
comment on column ops.load.extraction is 'The extraction this load published.';
comment on column ops.load.mode is 'delta: from the watermark to the frontier; window: exactly [window_start, window_end), watermark untouched.';
comment on column ops.load.window_start is 'First instant read (inclusive); null for a first load.';
comment on column ops.load.window_end is 'End of the window (exclusive); null for a delta, which reads to the present.';
comment on column ops.load.read_at is 'The source''s clock when it was read.';
comment on column ops.load.extracted is 'Rows read, after the latest of each key won.';
comment on column ops.load.inserted is 'Rows new in core.';
comment on column ops.load.updated is 'Rows that changed core.';
comment on column ops.load.unchanged is 'Rows equal to core.';
comment on column ops.load.quarantined is 'Rows that a row check sent to ops.quarantine.';
comment on column ops.load.suppressed is 'Rows of erased persons, left out.';
comment on column ops.load.checks_passed is 'Checks that held; 0 when nothing was left to check.';
comment on column ops.load.checks_failed is 'Checks that did not hold: rows quarantined or warned about.';
comment on column ops.load.last_sync_timestamp is 'The watermark after this load.';
comment on column ops.load.complete_through is 'What was complete after this load.';
comment on column ops.load.triggered_by is 'The Airflow run or the command that started it.';
comment on column ops.load.started_at is 'When the load started.';
comment on column ops.load.published_at is 'When the load was published.';
