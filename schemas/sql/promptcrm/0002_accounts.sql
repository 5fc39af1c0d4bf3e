-- companies
create table crm.accounts (
    id uuid primary key default gen_random_uuid(),
    owner_user_id uuid not null,
    name varchar(255) not null,
    domain varchar(255),
    industry varchar(100),
    employee_count int check (employee_count >= 0),
    annual_revenue numeric(18, 2) check (annual_revenue >= 0),
    country_code char(2) check (country_code ~ '^[A-Z]{2}$'),
    account_type varchar(20) not null default 'prospect'
        check (account_type in ('prospect', 'customer', 'partner', 'former_customer')),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz
);

create unique index accounts_domain_key on crm.accounts (owner_user_id, lower(domain)) where deleted_at is null;
create index accounts_cursor on crm.accounts (updated_at, id);

create trigger zz_touch_insert before insert on crm.accounts
    for each row execute function crm.set_updated_at();
create trigger zz_touch_update before update on crm.accounts
    for each row when (old.* is distinct from new.*) execute function crm.set_updated_at();

comment on table crm.accounts is 'Companies a PromptSales user sells to.';
comment on column crm.accounts.owner_user_id is 'The PromptSales user who owns the row (promptsales.users.id; no foreign key reaches across databases).';
comment on column crm.accounts.annual_revenue is 'Yearly revenue as somebody entered it, in no stated currency.';
comment on column crm.accounts.deleted_at is 'When the row was deleted; null while it lives.';
