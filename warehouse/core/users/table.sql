-- core.users: current state, keyed by PromptSales' own id; comments come from contract.yml
create table core.users (
    user_id uuid primary key,
    role varchar(50) not null,
    email_hmac bytea,
    email_domain_hmac bytea,
    is_email_valid boolean,
    pii_kid integer not null,
    created_at timestamptz,
    updated_at timestamptz not null,
    deleted_at timestamptz,
    _extraction bigint not null,
    _loaded_at timestamptz not null
);

-- one living user an address
create index users_email on core.users (email_hmac);

create table core.users_history (
    user_id uuid not null,
    role varchar(50) not null,
    valid_from timestamptz not null,
    valid_to timestamptz not null,
    primary key (user_id, valid_from),
    check (valid_from < valid_to)
);

-- one current version a key; with the primary key and the check above, versions cannot overlap unnoticed
create unique index users_history_current on core.users_history (user_id) where valid_to = 'infinity';
