-- a column that an event does not have at all, as it was renamed or dropped at the source: the table is marked
alter table ops.stream_offset
    add column absent_events bigint not null default 0,
    add column absent_columns text[] not null default '{}',
    add column absent_at timestamptz;
comment on column ops.stream_offset.absent_events is 'Events without a field for a column of the contract, since the last audit that found all well. Rows keep the values they had; a row that is new waits in quarantine.';
comment on column ops.stream_offset.absent_columns is 'The columns that those events lacked.';
comment on column ops.stream_offset.absent_at is 'When the last of them was applied, UTC; null where there was none since the last audit.';
