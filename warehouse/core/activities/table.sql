-- core.activities: current state, keyed by the CRM's id; comments come from contract.yml
create table core.activities (
    activity_id uuid primary key,
    owner_user_id uuid not null,
    activity_type varchar(20) not null,
    direction varchar(10),
    lead_id uuid,
    contact_id uuid,
    account_id uuid,
    opportunity_id uuid,
    occurred_at timestamptz,
    due_at timestamptz,
    completed_at timestamptz,
    duration_seconds integer,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    deleted_at timestamptz,
    _extraction bigint not null,
    _loaded_at timestamptz not null
);
