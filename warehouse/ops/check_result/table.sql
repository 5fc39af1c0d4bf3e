-- one row an expectation a check; append-only. Holds counts, never values
create table ops.check_result (
    check_result_id bigint generated always as identity primary key,
    feed text not null,
    extraction bigint,
    rule text not null,
    expectation text not null,
    on_fail text not null check (on_fail in ('quarantine', 'block', 'warn')),
    is_success boolean not null,
    element_count bigint,
    unexpected_count bigint,
    error text,
    checked_at timestamptz not null default clock_timestamp()
);
create index on ops.check_result (feed, checked_at);
comment on table ops.check_result is 'One row an expectation a check: did it hold, for how many rows not; append-only, no values.';
comment on column ops.check_result.check_result_id is 'Order of arrival.';
comment on column ops.check_result.feed is 'The feed or table that was checked.';
comment on column ops.check_result.extraction is 'The extraction that was checked; null when the warehouse was checked as it stands.';
comment on column ops.check_result.rule is 'Name of the rule in expectations.yml.';
comment on column ops.check_result.expectation is 'Its type in the vocabulary of Great Expectations.';
comment on column ops.check_result.on_fail is 'What a failure does: quarantine the rows, block the batch, or warn.';
comment on column ops.check_result.is_success is 'Whether the expectation held.';
comment on column ops.check_result.element_count is 'Rows looked at.';
comment on column ops.check_result.unexpected_count is 'Rows that did not meet it.';
comment on column ops.check_result.error is 'Why the check could not run; a check that cannot run has failed.';
comment on column ops.check_result.checked_at is 'When it was checked.';
