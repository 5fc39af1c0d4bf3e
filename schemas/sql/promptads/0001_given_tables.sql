-- PromptAds as its application knows it: names, types, defaults, keys and references stay as they are
create schema promptads;

create table promptads.campaigns (
    id uuid primary key default gen_random_uuid(),
    user_id uuid references promptsales.users,
    name varchar(255) not null,
    objective varchar(100),
    budget decimal(10,2) not null,
    status varchar(20) default 'draft',
    start_date timestamp,
    end_date timestamp
);

create table promptads.ad_groups (
    id uuid primary key default gen_random_uuid(),
    campaign_id uuid references promptads.campaigns,
    name varchar(255) not null,
    target_audience jsonb
);

create table promptads.ads (
    id uuid primary key default gen_random_uuid(),
    ad_group_id uuid references promptads.ad_groups,
    content_id varchar(255),
    type varchar(50),
    status varchar(20)
);

create table promptads.campaign_metrics (
    id bigserial primary key,
    campaign_id uuid references promptads.campaigns,
    timestamp timestamp default now(),
    impressions int default 0,
    clicks int default 0,
    spend decimal(10,4) default 0.0,
    conversions int default 0
);
