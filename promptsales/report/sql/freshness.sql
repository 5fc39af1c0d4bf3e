select table_name as "table", complete_through as "complete through", last_loaded_at as "last built", last_batch_status as status,
       quarantined_rows as quarantined, is_stale as stale
from marts.data_freshness order by 1
