-- core.leads: current state, keyed by the CRM's id; comments come from contract.yml
create table core.leads (
    lead_id uuid primary key,
    owner_user_id uuid not null,
    email_hmac bytea,
    email_domain_hmac bytea,
    is_email_valid boolean,
    phone_hmac bytea,
    click_id_hmac bytea,
    pii_kid integer not null,
    company_name varchar(255),
    job_title varchar(150),
    country_code char(2),
    score smallint,
    lead_source varchar(40) not null,
    campaign_id uuid,
    ad_id uuid,
    utm_source varchar(255),
    utm_medium varchar(255),
    utm_campaign varchar(255),
    utm_content varchar(255),
    utm_term varchar(255),
    status varchar(20) not null,
    qualified_at timestamptz,
    disqualified_at timestamptz,
    disqualified_reason varchar(100),
    converted_at timestamptz,
    converted_account_id uuid,
    converted_contact_id uuid,
    converted_opportunity_id uuid,
    merged_into_id uuid,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    deleted_at timestamptz,
    _extraction bigint not null,
    _loaded_at timestamptz not null
);

create table core.leads_history (
    lead_id uuid not null,
    status varchar(20) not null,
    campaign_id uuid,
    valid_from timestamptz not null,
    valid_to timestamptz not null,
    primary key (lead_id, valid_from),
    check (valid_from < valid_to)
);

-- one current version a lead; with the primary key and the check above, versions cannot overlap unnoticed
create unique index leads_history_current on core.leads_history (lead_id) where valid_to = 'infinity';
