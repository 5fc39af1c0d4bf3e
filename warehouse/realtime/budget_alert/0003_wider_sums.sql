-- a sum of a thousand million of the largest amounts; the views are made again by files of their own
drop view if exists realtime.live_campaign;
drop view if exists marts.campaign_performance_today;
alter table realtime.budget_alert alter column spend type numeric(27,4);
