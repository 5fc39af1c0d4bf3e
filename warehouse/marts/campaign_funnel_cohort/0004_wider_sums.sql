-- sums of a thousand million rows of the largest values that the inputs may hold, and their ratios
alter table marts.campaign_funnel_cohort
    alter column won_amount type numeric(25,2),
    alter column spend type numeric(27,4),
    alter column qualified_rate type numeric(38,6),
    alter column converted_rate type numeric(38,6),
    alter column won_rate type numeric(38,6),
    alter column cpl type numeric(38,6),
    alter column paid_cac type numeric(38,6),
    alter column crm_roas type numeric(38,6),
    alter column paid_cac_incl_ai type numeric(38,6);
