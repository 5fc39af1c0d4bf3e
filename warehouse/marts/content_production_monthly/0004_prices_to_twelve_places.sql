-- prices of assets so cheap that eight places show 0
alter table marts.content_production_monthly
    alter column cost_per_asset type numeric(26,12), alter column cost_per_approved_asset type numeric(26,12);
