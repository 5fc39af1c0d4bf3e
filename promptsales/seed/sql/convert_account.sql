-- the company of a lead becomes an account; what is known of it never leaves the database
insert into crm.accounts (id, owner_user_id, name, country_code, account_type)
select %(account_id)s, owner_user_id, coalesce(company_name, 'unknown'), country_code, 'prospect'
from crm.leads
where id = %(id)s
