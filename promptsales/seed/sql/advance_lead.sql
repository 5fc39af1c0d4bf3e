-- a lead gets on, or is given up
update crm.leads
set status = %(status)s::text,
    qualified_at = case when %(status)s::text = 'qualified' then clock_timestamp() else qualified_at end,
    disqualified_at = case when %(status)s::text = 'disqualified' then clock_timestamp() end,
    disqualified_reason = case when %(status)s::text = 'disqualified' then 'no answer' end
where id = %(id)s and status = %(before)s
