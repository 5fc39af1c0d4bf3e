-- the rows changed since a moment, as text
copy (
select
    id, owner_user_id, email, phone, click_id, company_name, job_title, country_code, score, lead_source,
    campaign_id, ad_id, utm_source, utm_medium, utm_campaign, utm_content, utm_term, status, qualified_at,
    disqualified_at, disqualified_reason, converted_at, converted_account_id, converted_contact_id,
    converted_opportunity_id, merged_into_id, created_at, updated_at, deleted_at
from crm.leads where updated_at >= :'since'
) to stdout;
