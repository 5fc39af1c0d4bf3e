comment on column ops.touched.entity_id is 'Id of the entity its contract names, as text; * where only the day counts: for a mart, and where the contract names none.';
