-- what was touched since a mart was built is found by time
create index on ops.touched (touched_at);
comment on column ops.touched.core_table is 'The core table that changed, or the mart, as marts.<mart>.';
comment on column ops.touched.entity_id is 'Id of the entity its contract names, as text; * for a mart, of which only the day counts.';
