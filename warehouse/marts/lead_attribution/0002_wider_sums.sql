-- sums of a thousand million rows of the largest values that the inputs may hold, and their ratios
alter table marts.lead_attribution
    alter column won_amount type numeric(25,2);
