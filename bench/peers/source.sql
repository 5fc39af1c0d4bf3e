-- what every peer reads: the columns that the floor and the feed read; the second view is for a tool without uuid
create schema peers;
create view peers.leads as
select
    id, owner_user_id, email, phone, click_id, company_name, job_title, country_code, score, lead_source, campaign_id,
    ad_id, utm_source, utm_medium, utm_campaign, utm_content, utm_term, status, qualified_at, disqualified_at,
    disqualified_reason, converted_at, converted_account_id, converted_contact_id, converted_opportunity_id,
    merged_into_id, created_at, updated_at, deleted_at
from crm.leads;
create view peers.leads_text as
select
    id::text, owner_user_id::text, email, phone, click_id, company_name, job_title, country_code, score, lead_source,
    campaign_id::text, ad_id::text, utm_source, utm_medium, utm_campaign, utm_content, utm_term, status, qualified_at,
    disqualified_at, disqualified_reason, converted_at, converted_account_id::text, converted_contact_id::text,
    converted_opportunity_id::text, merged_into_id::text, created_at, updated_at, deleted_at
from crm.leads;
