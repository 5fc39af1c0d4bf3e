-- types of extensions by their own name: an administrator's search path lacks public
select a.attname::text, regexp_replace(format_type(a.atttypid, a.atttypmod), '^public\.', ''), col_description(a.attrelid, a.attnum)
from pg_attribute a where a.attrelid = to_regclass(%s) and a.attnum > 0 and not a.attisdropped
