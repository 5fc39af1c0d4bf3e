-- soft deletes, the currency of money, metrics by ad, and checks on what the given DDL lists as values
alter table promptads.campaigns
    add column currency_code char(3) default 'USD',
    add column created_at timestamptz not null default now(),
    add column updated_at timestamptz not null default now(),
    add column deleted_at timestamptz,
    add constraint campaigns_objective_check check (objective in ('brand_awareness', 'conversions')),
    add constraint campaigns_status_check check (status in ('draft', 'active', 'paused', 'completed', 'archived'));

alter table promptads.ad_groups
    add column created_at timestamptz not null default now(),
    add column updated_at timestamptz not null default now(),
    add column deleted_at timestamptz;

alter table promptads.ads
    add column created_at timestamptz not null default now(),
    add column updated_at timestamptz not null default now(),
    add column deleted_at timestamptz,
    add constraint ads_type_check check (type in ('image', 'video', 'text'));

-- a correction is an update, so there is no deleted_at
alter table promptads.campaign_metrics
    add column updated_at timestamptz not null default now();
update promptads.campaign_metrics set updated_at = timestamp at time zone 'UTC' where timestamp is not null;

create table promptads.ad_metrics (
    id bigserial primary key,
    ad_id uuid references promptads.ads,
    timestamp timestamp default now(),
    impressions int default 0,
    clicks int default 0,
    spend decimal(10,4) default 0.0,
    conversions int default 0,
    updated_at timestamptz not null default now()
);

create index campaigns_cursor on promptads.campaigns (updated_at, id);
create index ad_groups_cursor on promptads.ad_groups (updated_at, id);
create index ads_cursor on promptads.ads (updated_at, id);
create index campaign_metrics_cursor on promptads.campaign_metrics (updated_at, id);
create index ad_metrics_cursor on promptads.ad_metrics (updated_at, id);
