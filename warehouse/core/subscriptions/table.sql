-- core.subscriptions: current state, keyed by PromptSales' own id; comments come from contract.yml
create table core.subscriptions (
    subscription_id uuid primary key,
    user_id uuid not null,
    plan_type varchar(50) not null,
    status varchar(20) not null,
    starts_at timestamptz not null,
    ends_at timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    deleted_at timestamptz,
    _extraction bigint not null,
    _loaded_at timestamptz not null
);

-- which plans a user has had
create index subscriptions_user on core.subscriptions (user_id);

create table core.subscriptions_history (
    subscription_id uuid not null,
    status varchar(20) not null,
    plan_type varchar(50) not null,
    valid_from timestamptz not null,
    valid_to timestamptz not null,
    primary key (subscription_id, valid_from),
    check (valid_from < valid_to)
);

-- one current version a key; with the primary key and the check above, versions cannot overlap unnoticed
create unique index subscriptions_history_current on core.subscriptions_history (subscription_id) where valid_to = 'infinity';
