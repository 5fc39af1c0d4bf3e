-- one row a mart: where it stands. Written by the transaction that publishes it
create table ops.mart (
    mart text primary key,
    touched_through timestamptz not null,
    as_of_day date not null,
    definition text not null,
    complete_through timestamptz,
    is_empty boolean not null,
    built_at timestamptz not null default clock_timestamp()
);
comment on table ops.mart is 'One row a mart: up to where it follows core, and by which definition it was built.';
comment on column ops.mart.mart is 'The mart.';
comment on column ops.mart.touched_through is 'What was touched in core before it is in the mart (ops.touched.touched_at).';
comment on column ops.mart.as_of_day is 'The last complete day when it was built, in the reporting zone; day marts end there.';
comment on column ops.mart.definition is 'Checksum of its files and settings: another one means that all of it is built anew.';
comment on column ops.mart.complete_through is 'The least of its inputs: every commit at the sources before it is in the mart; null where that is not known.';
comment on column ops.mart.is_empty is 'Whether it had no rows.';
comment on column ops.mart.built_at is 'When it was last published.';
grant update, delete on ops.mart to warehouse_loader;
