-- sums of a thousand million rows of the largest values that the inputs may hold, and their ratios
alter table marts.sales_performance_monthly
    alter column won_amount type numeric(25,2),
    alter column lost_amount type numeric(25,2),
    alter column win_rate type numeric(38,6),
    alter column value_win_rate type numeric(38,6),
    alter column avg_days_to_close type numeric(38,6);
