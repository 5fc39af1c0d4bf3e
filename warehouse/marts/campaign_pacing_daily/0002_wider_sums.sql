-- sums of a thousand million rows of the largest values that the inputs may hold, and their ratios
alter table marts.campaign_pacing_daily
    alter column spend_to_date type numeric(27,4),
    alter column expected_spend type numeric(38,6),
    alter column pacing_pct type numeric(38,6),
    alter column projected_spend type numeric(38,6),
    alter column required_daily_spend type numeric(38,6);
