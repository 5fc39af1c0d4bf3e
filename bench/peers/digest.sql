-- rows, the newest change, and order-free sums of a 64-bit hash of each row: shared columns, then personal ones
select
    count(*) as row_count,
    max(updated_at::timestamptz) as newest,
    sum(hashtextextended(row(
        id::text, owner_user_id::text, company_name::text, job_title::text, country_code::text, score::int,
        lead_source::text, campaign_id::text, ad_id::text, utm_source::text, utm_medium::text, utm_campaign::text,
        utm_content::text, utm_term::text, status::text, qualified_at::timestamptz, disqualified_at::timestamptz,
        disqualified_reason::text, converted_at::timestamptz, converted_account_id::text, converted_contact_id::text,
        converted_opportunity_id::text, merged_into_id::text, created_at::timestamptz, updated_at::timestamptz,
        deleted_at::timestamptz
    )::text, 0)::numeric) as shared,
    sum(hashtextextended(row(id::text, {email}, {phone}, {click_id})::text, 0)::numeric) as personal
from {relation}
