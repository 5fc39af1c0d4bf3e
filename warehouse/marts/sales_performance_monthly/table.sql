-- marts.sales_performance_monthly: built by spark_jobs/sales_performance_monthly.py; comments come from mart.yml
create table marts.sales_performance_monthly (
    month_start_date date not null,
    owner_user_id uuid not null,
    pipeline_code varchar(50) not null,
    currency_code char(3) not null,
    won bigint not null,
    lost bigint not null,
    won_amount numeric(20,2) not null,
    lost_amount numeric(20,2) not null,
    win_rate numeric(20,6),
    value_win_rate numeric(20,6),
    avg_days_to_close numeric(20,6),
    median_days_to_close numeric(10,2),
    primary key (month_start_date, owner_user_id, pipeline_code, currency_code)
);
