-- the hourly audit of a streamed table compares its last hours, a reconciliation all of it; the audits follow one another
alter table ops.reconciliation add column is_whole boolean;
update ops.reconciliation set is_whole = buckets = 4096;
alter table ops.reconciliation alter column is_whole set not null;
comment on column ops.reconciliation.is_whole is 'Whether all rows were compared; false for the hourly audit of a streamed table, which compares its last hours.';
