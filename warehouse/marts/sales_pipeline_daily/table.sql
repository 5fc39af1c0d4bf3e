-- marts.sales_pipeline_daily: built by spark_jobs/sales_pipeline_daily.py; comments come from mart.yml
create table marts.sales_pipeline_daily (
    date_day date not null,
    stage_id uuid not null,
    owner_user_id uuid not null,
    currency_code char(3) not null,
    pipeline_code varchar(50),
    stage_name varchar(100),
    stage_position smallint,
    open_count bigint not null,
    open_amount numeric(20,2),
    weighted_amount numeric(20,4),
    avg_age_days numeric(20,6),
    primary key (date_day, stage_id, owner_user_id, currency_code)
);
