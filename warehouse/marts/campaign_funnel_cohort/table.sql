-- marts.campaign_funnel_cohort: built by spark_jobs/campaign_funnel_cohort.py; comments come from mart.yml
create table marts.campaign_funnel_cohort (
    campaign_id uuid not null,
    month_start_date date not null,
    currency_code char(3) not null,
    campaign_name varchar(255),
    impressions bigint not null,
    clicks bigint not null,
    leads bigint not null,
    qualified bigint not null,
    converted bigint not null,
    won bigint not null,
    new_customers bigint not null,
    won_amount numeric(20,2) not null,
    spend numeric(20,4) not null,
    qualified_rate numeric(20,6),
    converted_rate numeric(20,6),
    won_rate numeric(20,6),
    cpl numeric(20,6),
    paid_cac numeric(20,6),
    crm_roas numeric(20,6),
    cohort_age_days integer not null,
    primary key (campaign_id, month_start_date, currency_code)
);
create index on marts.campaign_funnel_cohort (month_start_date);
