comment on table ops.touched is 'What the marts must rebuild: the days of what changed in core, and of what it belonged to before and belongs to now.';
comment on column ops.touched.entity_id is 'Id of an entity that the contract names, before or after the change, as text; * where only the day counts: for a mart, and where the contract names none.';
