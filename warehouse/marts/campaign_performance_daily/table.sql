-- marts.campaign_performance_daily: built by spark_jobs/campaign_performance_daily.py; comments come from mart.yml
create table marts.campaign_performance_daily (
    campaign_id uuid not null,
    date_day date not null,
    currency_code char(3) not null,
    campaign_name varchar(255),
    user_id uuid,
    impressions bigint not null,
    clicks bigint not null,
    spend numeric(20,4) not null,
    conversions bigint not null,
    ctr numeric(20,6),
    cpc numeric(20,6),
    cpm numeric(20,6),
    cvr numeric(20,6),
    cpa numeric(20,6),
    has_data boolean not null,
    is_provisional boolean not null,
    primary key (campaign_id, date_day, currency_code)
);
create index on marts.campaign_performance_daily (date_day);
