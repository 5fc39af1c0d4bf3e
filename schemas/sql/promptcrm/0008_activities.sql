-- what was done with a lead, contact, account or deal
create table crm.activities (
    id uuid primary key default gen_random_uuid(),
    owner_user_id uuid not null,
    activity_type varchar(20) not null check (activity_type in ('call', 'email', 'meeting', 'note', 'task')),
    direction varchar(10) check (direction in ('inbound', 'outbound', 'internal')),
    subject varchar(255),
    body text,
    lead_id uuid references crm.leads,
    contact_id uuid references crm.contacts,
    account_id uuid references crm.accounts,
    opportunity_id uuid references crm.opportunities,
    occurred_at timestamptz,
    due_at timestamptz,
    completed_at timestamptz,
    duration_seconds int check (duration_seconds >= 0),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    constraint activities_parent_check check (num_nonnulls(lead_id, contact_id, account_id, opportunity_id) > 0),
    constraint activities_time_check check (num_nonnulls(occurred_at, due_at) > 0)
);

create index activities_cursor on crm.activities (updated_at, id);

create trigger zz_touch_insert before insert on crm.activities
    for each row execute function crm.set_updated_at();
create trigger zz_touch_update before update on crm.activities
    for each row when (old.* is distinct from new.*) execute function crm.set_updated_at();

comment on table crm.activities is 'Calls, e-mails, meetings, notes and tasks; subject and body are free text and read by no pipeline.';
comment on column crm.activities.duration_seconds is 'How long it took, in seconds.';
comment on column crm.activities.deleted_at is 'When the row was deleted; null while it lives.';
