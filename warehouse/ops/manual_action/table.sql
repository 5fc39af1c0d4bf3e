-- what people decided about single rows and messages; written in the transaction that does it, append-only
create table ops.manual_action (
    manual_action_id bigint generated always as identity primary key,
    action text not null check (action in ('release', 'replay', 'drop')),
    feed text not null,
    target text not null,
    acted_by text not null,
    reason text,
    acted_at timestamptz not null default clock_timestamp()
);
create index on ops.manual_action (action, target);
comment on table ops.manual_action is 'One row each release of a quarantined row, and each replay or drop of a dead letter, by hand; append-only.';
comment on column ops.manual_action.manual_action_id is 'Order of arrival.';
comment on column ops.manual_action.action is 'release: a row of quarantine; replay, drop: a dead letter.';
comment on column ops.manual_action.feed is 'The feed or streamed table of the row; the topic of the dead letter.';
comment on column ops.manual_action.target is 'quarantine_id of the row; topic/partition/offset of the dead letter.';
comment on column ops.manual_action.acted_by is 'Who did it: airflow:<user> for the Warehouse page, cli:<user of the machine> for the command line.';
comment on column ops.manual_action.reason is 'Why, as the person wrote it, without addresses and phone numbers; null where the command line was given none.';
comment on column ops.manual_action.acted_at is 'When.';
