select day from ops.touched where core_table = 'prompts' and touched_at >= %(since)s
union
select generate_series(%(was_day)s::date + 1, %(as_of_day)s::date, interval '1 day')::date
