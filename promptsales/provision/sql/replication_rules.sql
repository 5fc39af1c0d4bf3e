select
    line_number,
    file_name
from pg_hba_file_rules
where
    'replication' = any(database)
    and user_name && array['all', %s::text]
    and auth_method <> 'reject'
order by rule_number
