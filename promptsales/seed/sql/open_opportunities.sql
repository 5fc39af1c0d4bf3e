-- opportunities that may go on, the latest changed first
select o.id, o.owner_user_id, s.position as stage, o.amount
from crm.opportunities o
join crm.pipeline_stages s on s.id = o.stage_id
where not s.is_closed and o.account_id is not null and o.deleted_at is null
order by o.updated_at desc, o.id desc
limit 500
