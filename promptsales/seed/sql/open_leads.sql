-- leads that may go on, the latest changed first; planted ones are left alone
select id, owner_user_id, status
from crm.leads
where status in ('new', 'working', 'qualified') and deleted_at is null and merged_into_id is null and created_at < now()
order by updated_at desc, id desc
limit 500
