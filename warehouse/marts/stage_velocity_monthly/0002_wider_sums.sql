-- sums of a thousand million rows of the largest values that the inputs may hold, and their ratios
alter table marts.stage_velocity_monthly
    alter column forward_rate type numeric(38,6);
