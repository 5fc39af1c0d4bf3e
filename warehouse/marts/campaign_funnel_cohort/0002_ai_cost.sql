-- what AI cost for the campaign's creatives; null where the campaign is not paid in the currency of prompts
alter table marts.campaign_funnel_cohort add column ai_cost numeric(28,8), add column paid_cac_incl_ai numeric(20,6);
