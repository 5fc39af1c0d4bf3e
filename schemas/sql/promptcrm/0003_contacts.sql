-- persons at companies; an erasure empties the direct identifiers, sets deleted_at and keeps the id
create table crm.contacts (
    id uuid primary key default gen_random_uuid(),
    owner_user_id uuid not null,
    account_id uuid references crm.accounts,
    first_name varchar(100),
    last_name varchar(100),
    email varchar(320),
    phone varchar(32),
    job_title varchar(150),
    country_code char(2) check (country_code ~ '^[A-Z]{2}$'),
    email_opt_in boolean not null default false,
    consent_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    constraint contacts_reachable_check
        check (coalesce(email, phone, last_name) is not null or deleted_at is not null)
);

create unique index contacts_email_key on crm.contacts (owner_user_id, lower(email)) where deleted_at is null;
create index contacts_cursor on crm.contacts (updated_at, id);

create trigger zz_touch_insert before insert on crm.contacts
    for each row execute function crm.set_updated_at();
create trigger zz_touch_update before update on crm.contacts
    for each row when (old.* is distinct from new.*) execute function crm.set_updated_at();

comment on table crm.contacts is 'Persons at accounts. Names, e-mail and phone are direct identifiers: only keyed hashes leave this database.';
comment on column crm.contacts.email_opt_in is 'Whether the person agreed to be written to.';
comment on column crm.contacts.consent_at is 'When the person agreed.';
comment on column crm.contacts.deleted_at is 'When the row was deleted or the person erased; null while it lives.';
