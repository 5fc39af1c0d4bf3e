-- marts.subscription_mrr_monthly: built by spark_jobs/subscription_mrr_monthly.py; comments come from mart.yml
create table marts.subscription_mrr_monthly (
    user_id uuid not null,
    month_start_date date not null,
    currency_code char(3) not null,
    plans text,
    opening_mrr numeric(20,2) not null,
    mrr numeric(20,2) not null,
    change numeric(20,2) not null,
    movement varchar(20) not null,
    is_provisional boolean not null,
    primary key (user_id, month_start_date, currency_code)
);
create index on marts.subscription_mrr_monthly (month_start_date);
