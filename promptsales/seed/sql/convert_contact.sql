-- the person of a lead becomes a contact, unless the owner has that address already
insert into crm.contacts (id, owner_user_id, account_id, first_name, last_name, email, phone, job_title, country_code)
select %(contact_id)s, owner_user_id, %(account_id)s, first_name, last_name, email, phone, job_title, country_code
from crm.leads
where id = %(id)s and coalesce(email, phone, last_name) is not null
on conflict do nothing
