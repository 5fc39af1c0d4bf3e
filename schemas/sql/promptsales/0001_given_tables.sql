-- PromptSales core as its application knows it: names, types, defaults, keys and references stay as they are
create schema promptsales;

create table promptsales.users (
    id uuid primary key default gen_random_uuid(),
    email varchar(255) unique not null,
    password_hash varchar(255) not null,
    role varchar(50) not null,
    created_at timestamp default now()
);

create table promptsales.subscriptions (
    id uuid primary key default gen_random_uuid(),
    user_id uuid references promptsales.users,
    plan_type varchar(50) not null,
    status varchar(20) not null,
    start_date timestamp not null,
    end_date timestamp
);

-- campaigns belong to users (promptads.campaigns.user_id)
grant usage on schema promptsales to promptads_owner;
grant references (id) on promptsales.users to promptads_owner;
