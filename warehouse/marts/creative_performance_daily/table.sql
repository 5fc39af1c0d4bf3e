-- marts.creative_performance_daily: built by spark_jobs/creative_performance_daily.py; comments come from mart.yml
create table marts.creative_performance_daily (
    asset_id text not null,
    date_day date not null,
    currency_code char(3) not null,
    model_label varchar(100),
    asset_type text,
    ads bigint,
    impressions bigint not null,
    clicks bigint not null,
    spend numeric(20,4) not null,
    conversions bigint not null,
    ctr numeric(20,6),
    cpc numeric(20,6),
    cpm numeric(20,6),
    cvr numeric(20,6),
    cpa numeric(20,6),
    is_provisional boolean not null,
    primary key (asset_id, date_day, currency_code)
);
create index on marts.creative_performance_daily (date_day);
