-- what the marts must rebuild
create table ops.touched (
    core_table text not null,
    entity_id text not null,
    day date not null,
    touched_at timestamptz not null default clock_timestamp(),
    primary key (core_table, entity_id, day)
);
comment on table ops.touched is 'What the marts must rebuild: the days of an entity that changed in core.';
comment on column ops.touched.core_table is 'The core table that changed.';
comment on column ops.touched.entity_id is 'Id of the entity its contract names, as text.';
comment on column ops.touched.day is 'UTC day of the entity that changed.';
comment on column ops.touched.touched_at is 'When it last changed.';
grant update, delete on ops.touched to warehouse_loader;
