-- marts.campaign_performance_hourly: built by spark_jobs/campaign_performance_hourly.py; comments come from mart.yml
create table marts.campaign_performance_hourly (
    campaign_id uuid not null,
    hour_at timestamptz not null,
    currency_code char(3) not null,
    date_day date not null,
    campaign_name varchar(255),
    impressions bigint not null,
    clicks bigint not null,
    spend numeric(20,4) not null,
    conversions bigint not null,
    ctr numeric(20,6),
    cpc numeric(20,6),
    cpm numeric(20,6),
    cvr numeric(20,6),
    cpa numeric(20,6),
    primary key (campaign_id, hour_at, currency_code)
);
create index on marts.campaign_performance_hourly (date_day);
