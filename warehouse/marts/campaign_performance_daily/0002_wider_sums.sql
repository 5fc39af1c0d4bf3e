-- sums of a thousand million rows of the largest values that the inputs may hold, and their ratios
-- PostgreSQL changes no column that a view shows: the views are made again by files of their own
drop view if exists marts.campaign_anomaly_daily;
drop view if exists marts.campaign_performance_today;
alter table marts.campaign_performance_daily
    alter column spend type numeric(27,4),
    alter column ctr type numeric(38,6),
    alter column cpc type numeric(38,6),
    alter column cpm type numeric(38,6),
    alter column cvr type numeric(38,6),
    alter column cpa type numeric(38,6);
