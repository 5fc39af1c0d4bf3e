-- types by the name PostgreSQL itself gives them, as contracts write them
select attname, format_type(atttypid, atttypmod)
from pg_attribute
where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped
