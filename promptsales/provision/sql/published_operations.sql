select concat_ws(', ', case when pubinsert then 'insert' end, case when pubupdate then 'update' end,
                 case when pubdelete then 'delete' end, case when pubtruncate then 'truncate' end)
from pg_publication where pubname = %s
