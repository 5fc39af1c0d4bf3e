-- marts.content_production_monthly: built by spark_jobs/content_production_monthly.py; comments come from mart.yml
create table marts.content_production_monthly (
    month_start_date date not null,
    model_label varchar(100) not null,
    asset_type text not null,
    currency_code char(3) not null,
    assets bigint not null,
    approved bigint not null,
    archived_never_approved bigint not null,
    archived_at_first_sight bigint not null,
    drafts bigint not null,
    approval_rate numeric(20,6),
    assets_with_cost bigint not null,
    linked_cost numeric(28,8) not null,
    cost_per_asset numeric(20,8),
    cost_per_approved_asset numeric(20,8),
    median_days_to_approval numeric(10,2),
    primary key (month_start_date, model_label, asset_type, currency_code)
);
