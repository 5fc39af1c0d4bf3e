-- marts.lost_reason_monthly: built by spark_jobs/lost_reason_monthly.py; comments come from mart.yml
create table marts.lost_reason_monthly (
    month_start_date date not null,
    lost_reason varchar(100) not null,
    currency_code char(3) not null,
    lost bigint not null,
    lost_amount numeric(20,2) not null,
    primary key (month_start_date, lost_reason, currency_code)
);
