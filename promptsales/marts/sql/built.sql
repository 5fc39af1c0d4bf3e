select mart, is_full, staged, inserted, updated, deleted, restated, checks_passed, checks_failed, complete_through,
       started_at, published_at
from ops.mart_build where triggered_by = %s order by build_id
