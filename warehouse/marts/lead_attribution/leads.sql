select lead_id, created_at, owner_user_id, lead_source, campaign_id, ad_id, utm_campaign, qualified_at, converted_at,
       converted_opportunity_id
from core.leads
where deleted_at is null and merged_into_id is null
