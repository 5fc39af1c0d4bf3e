-- types of extensions by their own name: an administrator's search path lacks public
select attname, regexp_replace(format_type(atttypid, atttypmod), '^public\.', '') from pg_attribute
where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped
