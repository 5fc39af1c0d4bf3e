-- leads as a form would bring them; utm_term numbers them, so that a delta can be spread over the whole table
insert into crm.leads (
    owner_user_id, first_name, last_name, email, phone, company_name, job_title, country_code, score, lead_source,
    campaign_id, utm_source, utm_medium, utm_campaign, utm_term, click_id
)
select
    gen_random_uuid(), 'Ann', 'Smith', 'person' || i || '@example' || i %% 1000 || '.com', '+4420' || lpad(i::text, 8, '0'),
    'Company ' || i %% 5000, 'Engineer', 'GB', i %% 100, 'paid_search',
    gen_random_uuid(), 'google', 'cpc', 'campaign ' || i %% 50, i::text, 'gclid-' || i
from generate_series(1, %(rows)s) as i
