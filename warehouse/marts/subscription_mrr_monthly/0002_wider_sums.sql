-- sums of a thousand million rows of the largest values that the inputs may hold, and their ratios
-- PostgreSQL changes no column that a view shows: the views are made again by files of their own
drop view if exists marts.mrr_waterfall_monthly;
alter table marts.subscription_mrr_monthly
    alter column opening_mrr type numeric(25,2),
    alter column mrr type numeric(25,2),
    alter column change type numeric(25,2);
