-- sums of a thousand million rows of the largest values that the inputs may hold, and their ratios
alter table marts.lost_reason_monthly
    alter column lost_amount type numeric(25,2);
