-- campaign days without data of ads are shared among the ads that were active, in rows of their own
alter table marts.creative_performance_daily
    add column is_allocated boolean not null default false,
    drop constraint creative_performance_daily_pkey,
    add primary key (asset_id, date_day, currency_code, is_allocated);
