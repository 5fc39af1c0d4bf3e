select r.restatement_id, r.grain, r.old_values, r.new_values, r.restated_at, count(*) over () as total
from ops.restatement r
where r.mart = %(name)s
order by r.restatement_id desc
limit 20
