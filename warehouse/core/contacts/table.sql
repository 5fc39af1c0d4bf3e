-- core.contacts: current state, keyed by the CRM's id; no history, so that an erasure is one update; comments come from contract.yml
create table core.contacts (
    contact_id uuid primary key,
    owner_user_id uuid not null,
    account_id uuid,
    email_hmac bytea,
    email_domain_hmac bytea,
    is_email_valid boolean,
    phone_hmac bytea,
    pii_kid integer not null,
    job_title varchar(150),
    country_code char(2),
    email_opt_in boolean not null,
    consent_at timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    deleted_at timestamptz,
    _extraction bigint not null,
    _loaded_at timestamptz not null
);

-- who is the same person
create index contacts_email on core.contacts (email_hmac);
