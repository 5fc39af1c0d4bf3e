-- marts.lead_attribution: built by spark_jobs/lead_attribution.py; comments come from mart.yml
create table marts.lead_attribution (
    lead_id uuid not null,
    date_day date not null,
    owner_user_id uuid,
    lead_source varchar(40),
    campaign_id uuid,
    campaign_name varchar(255),
    ad_id uuid,
    attribution_method varchar(20) not null,
    created_at timestamptz,
    is_qualified boolean not null,
    is_converted boolean not null,
    is_won boolean not null,
    qualified_at timestamptz,
    converted_at timestamptz,
    opportunity_id uuid,
    closed_at timestamptz,
    currency_code char(3),
    won_amount numeric(20,2) not null,
    is_new_customer boolean not null,
    primary key (lead_id)
);
create index on marts.lead_attribution (date_day);
