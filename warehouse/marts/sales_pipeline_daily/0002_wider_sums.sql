-- sums of a thousand million rows of the largest values that the inputs may hold, and their ratios
alter table marts.sales_pipeline_daily
    alter column open_amount type numeric(25,2),
    alter column weighted_amount type numeric(27,4),
    alter column avg_age_days type numeric(38,6);
