-- one row a published build of a mart; append-only
create table ops.mart_build (
    build_id bigint generated always as identity primary key,
    mart text not null,
    is_full boolean not null,
    ranges daterange[] not null,
    staged bigint not null,
    inserted bigint not null,
    updated bigint not null,
    deleted bigint not null,
    restated bigint not null,
    checks_passed integer not null,
    checks_failed integer not null,
    complete_through timestamptz,
    triggered_by text not null,
    started_at timestamptz not null,
    published_at timestamptz not null default clock_timestamp()
);
create index on ops.mart_build (mart, published_at);
comment on table ops.mart_build is 'One row a published build of a mart: what was rebuilt and what that changed; append-only.';
comment on column ops.mart_build.build_id is 'Order of arrival.';
comment on column ops.mart_build.mart is 'The mart.';
comment on column ops.mart_build.is_full is 'Whether all of it was built: the first time, after a change of its definition, or when asked.';
comment on column ops.mart_build.ranges is 'The days that were rebuilt.';
comment on column ops.mart_build.staged is 'Rows Spark built for them.';
comment on column ops.mart_build.inserted is 'Rows new in the mart.';
comment on column ops.mart_build.updated is 'Rows that changed.';
comment on column ops.mart_build.deleted is 'Rows that are no more.';
comment on column ops.mart_build.restated is 'Replaced or deleted rows whose old values went to ops.restatement.';
comment on column ops.mart_build.checks_passed is 'Checks that held.';
comment on column ops.mart_build.checks_failed is 'Checks that warned.';
comment on column ops.mart_build.complete_through is 'What was complete after it.';
comment on column ops.mart_build.triggered_by is 'The Airflow run or the command that started it.';
comment on column ops.mart_build.started_at is 'When it started.';
comment on column ops.mart_build.published_at is 'When it was published.';
