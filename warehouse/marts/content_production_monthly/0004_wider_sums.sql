-- sums of a thousand million rows of the largest values that the inputs may hold, and their ratios
alter table marts.content_production_monthly
    alter column approval_rate type numeric(38,6),
    alter column cost_per_asset type numeric(38,12),
    alter column cost_per_approved_asset type numeric(38,12);
