update ops.quarantine set payload = regexp_replace(payload::text, %(pattern)s, %(nobody)s, 'g')::jsonb
where payload::text ~ %(pattern)s
