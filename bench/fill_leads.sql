-- leads as forms would bring them in three years; utm_term numbers them, so that a delta can be spread over the table
insert into crm.leads (
    owner_user_id, first_name, last_name, email, phone, company_name, job_title, country_code, score, lead_source,
    campaign_id, utm_source, utm_medium, utm_campaign, utm_term, click_id, created_at
)
select
    lpad(to_hex(i %% 200), 32, '0')::uuid, 'Ann', 'Smith', 'person' || i || '@example' || i %% 1000 || '.com',
    '+4420' || lpad(i::text, 8, '0'), 'Company ' || i %% 5000, 'Engineer', 'GB', i %% 100, 'paid_search',
    lpad(to_hex(i %% 50), 32, '0')::uuid, 'google', 'cpc', 'campaign ' || i %% 50, i::text, 'gclid-' || i,
    now() - (%(rows)s - i) * (interval '3 years' / %(rows)s)
from generate_series(1, %(rows)s) as i
