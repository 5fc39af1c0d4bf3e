-- sums of a thousand million rows of the largest values that the inputs may hold, and their ratios
alter table marts.campaign_performance_hourly
    alter column spend type numeric(27,4),
    alter column ctr type numeric(38,6),
    alter column cpc type numeric(38,6),
    alter column cpm type numeric(38,6),
    alter column cvr type numeric(38,6),
    alter column cpa type numeric(38,6);
