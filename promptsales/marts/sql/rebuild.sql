-- days whose rows were changed by hand, or follow from what is gone
select day from ops.touched where core_table = %(mart)s and entity_id = %(rebuild)s and touched_at >= %(since)s
