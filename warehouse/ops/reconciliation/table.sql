-- one row a comparison of a feed with its source; append-only
create table ops.reconciliation (
    reconciliation_id bigint generated always as identity primary key,
    feed text not null,
    complete_through timestamptz not null,
    source_rows bigint not null,
    warehouse_rows bigint not null,
    buckets integer not null,
    unequal_buckets integer not null,
    gone bigint not null,
    deleted bigint not null,
    missing bigint not null,
    differing bigint not null,
    silent bigint not null,
    pending bigint not null,
    extraction bigint,
    triggered_by text not null,
    compared_at timestamptz not null,
    finished_at timestamptz not null default clock_timestamp()
);
create index on ops.reconciliation (feed, compared_at);
comment on table ops.reconciliation is 'One row a comparison of a feed with its source, key by key and content by content; append-only.';
comment on column ops.reconciliation.reconciliation_id is 'Order of arrival.';
comment on column ops.reconciliation.feed is 'The feed, named like its core table.';
comment on column ops.reconciliation.complete_through is 'The watermark it was judged by: rows changed at or after it are left to the next load.';
comment on column ops.reconciliation.source_rows is 'Rows at the source, without those of erased persons.';
comment on column ops.reconciliation.warehouse_rows is 'Rows in core and quarantine together, without those soft-deleted because the source had lost them.';
comment on column ops.reconciliation.buckets is 'Into how many buckets the keys were sorted.';
comment on column ops.reconciliation.unequal_buckets is 'Buckets whose counts or hashes differed; only their rows were compared one by one.';
comment on column ops.reconciliation.gone is 'Keys that the source has no more.';
comment on column ops.reconciliation.deleted is 'Of those, the ones this comparison soft-deleted in core or took out of quarantine.';
comment on column ops.reconciliation.missing is 'Keys that the warehouse should have and had not; the next load reads them.';
comment on column ops.reconciliation.differing is 'Rows whose newer version the warehouse should have and had not; the next load reads them.';
comment on column ops.reconciliation.silent is 'Rows that changed while their cursor stood still or went back: a disabled trigger, a restore, a change by hand. The next load reads them.';
comment on column ops.reconciliation.pending is 'Rows that differ because they changed since the last load; it is no fault.';
comment on column ops.reconciliation.extraction is 'The version of the soft-deletes, as in ops.load; null when nothing was deleted.';
comment on column ops.reconciliation.triggered_by is 'The Airflow run or the command that started it.';
comment on column ops.reconciliation.compared_at is 'The source''s clock when it was compared.';
comment on column ops.reconciliation.finished_at is 'When the result was written.';
