-- marts.campaign_pacing_daily: built by spark_jobs/campaign_pacing_daily.py; comments come from mart.yml
create table marts.campaign_pacing_daily (
    campaign_id uuid not null,
    date_day date not null,
    currency_code char(3) not null,
    campaign_name varchar(255),
    budget numeric(10,2),
    starts_on date,
    ends_on date,
    spend_to_date numeric(20,4) not null,
    expected_spend numeric(20,6),
    pacing_pct numeric(20,6),
    projected_spend numeric(20,6),
    required_daily_spend numeric(20,6),
    pacing_status varchar(20) not null,
    is_provisional boolean not null,
    primary key (campaign_id, date_day, currency_code)
);
create index on marts.campaign_pacing_daily (date_day);
