-- a snapshot does not tell of deletes: what it left out is deleted once it is applied
alter table ops.connector add column swept_epoch integer not null default 1;
comment on column ops.connector.swept_epoch is 'The epoch whose first snapshot is applied, and what it left out deleted.';
