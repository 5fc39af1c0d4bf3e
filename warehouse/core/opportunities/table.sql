-- core.opportunities: current state, keyed by the CRM's id; comments come from contract.yml
create table core.opportunities (
    opportunity_id uuid primary key,
    owner_user_id uuid not null,
    account_id uuid,
    primary_contact_id uuid,
    source_lead_id uuid,
    campaign_id uuid,
    stage_id uuid not null,
    stage_entered_at timestamptz not null,
    amount numeric(14, 2),
    currency_code char(3) not null,
    probability numeric(5, 4),
    expected_close_date date,
    closed_at timestamptz,
    lost_reason varchar(100),
    merged_into_id uuid,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    deleted_at timestamptz,
    _extraction bigint not null,
    _loaded_at timestamptz not null
);

create table core.opportunities_history (
    opportunity_id uuid not null,
    stage_id uuid not null,
    amount numeric(14, 2),
    owner_user_id uuid not null,
    valid_from timestamptz not null,
    valid_to timestamptz not null,
    primary key (opportunity_id, valid_from),
    check (valid_from < valid_to)
);

-- one current version a key; with the primary key and the check above, versions cannot overlap unnoticed
create unique index opportunities_history_current on core.opportunities_history (opportunity_id) where valid_to = 'infinity';
