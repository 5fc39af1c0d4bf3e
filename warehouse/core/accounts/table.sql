-- core.accounts: current state, keyed by the CRM's id; comments come from contract.yml
create table core.accounts (
    account_id uuid primary key,
    owner_user_id uuid not null,
    name varchar(255) not null,
    domain varchar(255),
    industry varchar(100),
    employee_count integer,
    annual_revenue numeric(18, 2),
    country_code char(2),
    account_type varchar(20) not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    deleted_at timestamptz,
    _extraction bigint not null,
    _loaded_at timestamptz not null
);

create table core.accounts_history (
    account_id uuid not null,
    account_type varchar(20) not null,
    valid_from timestamptz not null,
    valid_to timestamptz not null,
    primary key (account_id, valid_from),
    check (valid_from < valid_to)
);

-- one current version a key; with the primary key and the check above, versions cannot overlap unnoticed
create unique index accounts_history_current on core.accounts_history (account_id) where valid_to = 'infinity';
