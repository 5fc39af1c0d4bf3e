-- values of a mart that a later fact replaced; append-only
create table ops.restatement (
    restatement_id bigint generated always as identity primary key,
    mart text not null,
    grain jsonb not null,
    old_values jsonb not null,
    new_values jsonb not null,
    restated_at timestamptz not null default clock_timestamp()
);
comment on table ops.restatement is 'Values of a mart that a later fact replaced; append-only.';
comment on column ops.restatement.restatement_id is 'Order of arrival.';
comment on column ops.restatement.mart is 'The mart.';
comment on column ops.restatement.grain is 'The row: its grain columns and their values.';
comment on column ops.restatement.old_values is 'The replaced measures.';
comment on column ops.restatement.new_values is 'What replaced them.';
comment on column ops.restatement.restated_at is 'When they were replaced.';
