-- persons who may become customers; UTMs are kept verbatim as captured
create table crm.leads (
    id uuid primary key default gen_random_uuid(),
    owner_user_id uuid not null,
    first_name varchar(100),
    last_name varchar(100),
    email varchar(320),
    phone varchar(32),
    company_name varchar(255),
    job_title varchar(150),
    country_code char(2) check (country_code ~ '^[A-Z]{2}$'),
    score smallint check (score between 0 and 100),
    lead_source varchar(40) not null default 'unknown',
    campaign_id uuid,
    ad_id uuid,
    utm_source varchar(255),
    utm_medium varchar(255),
    utm_campaign varchar(255),
    utm_content varchar(255),
    utm_term varchar(255),
    click_id varchar(255),
    landing_page_url text,
    status varchar(20) not null default 'new'
        check (status in ('new', 'working', 'qualified', 'converted', 'disqualified')),
    qualified_at timestamptz,
    disqualified_at timestamptz,
    converted_at timestamptz,
    disqualified_reason varchar(100),
    converted_account_id uuid references crm.accounts,
    converted_contact_id uuid references crm.contacts,
    converted_opportunity_id uuid,
    merged_into_id uuid references crm.leads,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    constraint leads_converted_check check ((status = 'converted') = (converted_at is not null)),
    constraint leads_disqualified_check check ((status = 'disqualified') = (disqualified_at is not null)),
    constraint leads_contact_check check (converted_at is null or converted_contact_id is not null),
    constraint leads_milestones_check check (qualified_at >= created_at and converted_at >= created_at)
);

create index leads_campaign on crm.leads (campaign_id) where campaign_id is not null;
create index leads_cursor on crm.leads (updated_at, id);

create trigger zz_touch_insert before insert on crm.leads
    for each row execute function crm.set_updated_at();
create trigger zz_touch_update before update on crm.leads
    for each row when (old.* is distinct from new.*) execute function crm.set_updated_at();

comment on table crm.leads is 'Persons who may become customers. Names, e-mail, phone and click id leave this database as keyed hashes or not at all.';
comment on column crm.leads.owner_user_id is 'The PromptSales user who owns the row (promptsales.users.id; no foreign key reaches across databases).';
comment on column crm.leads.campaign_id is 'The campaign the lead is credited to (promptads.campaigns.id, soft).';
comment on column crm.leads.ad_id is 'The ad the lead is credited to (promptads.ads.id, soft).';
comment on column crm.leads.click_id is 'Click id of the ad platform.';
comment on column crm.leads.merged_into_id is 'The surviving lead after a merge; such rows count nowhere.';
comment on column crm.leads.deleted_at is 'When the row was deleted or the person erased; null while it lives.';
