-- who bought is a customer
update crm.accounts a
set account_type = 'customer'
where account_type <> 'customer' and exists (
    select from crm.opportunities o join crm.pipeline_stages s on s.id = o.stage_id
    where o.account_id = a.id and s.is_won
)
