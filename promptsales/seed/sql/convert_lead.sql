-- a lead is converted
update crm.leads
set status = 'converted', converted_at = clock_timestamp(), converted_account_id = %(account_id)s,
    converted_contact_id = %(contact_id)s, converted_opportunity_id = %(opportunity_id)s
where id = %(id)s and status = 'qualified'
