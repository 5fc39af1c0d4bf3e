-- sums of costs that are each below a hundred millionth of a dollar
alter table marts.campaign_funnel_cohort alter column ai_cost type numeric(38,12);
