-- how a table compared with its source, newest first
select r.compared_at, r.is_whole, r.source_rows, r.warehouse_rows, r.gone, r.missing, r.differing, r.silent, r.pending, r.triggered_by
from ops.reconciliation r
where r.feed = %(name)s
order by r.compared_at desc
limit 15
