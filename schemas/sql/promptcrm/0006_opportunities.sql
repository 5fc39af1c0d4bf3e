-- deals; account_id stays nullable: in a public set of 8,800 deals 16 % had none, all of them open
create table crm.opportunities (
    id uuid primary key default gen_random_uuid(),
    owner_user_id uuid not null,
    account_id uuid references crm.accounts,
    primary_contact_id uuid references crm.contacts,
    source_lead_id uuid references crm.leads,
    campaign_id uuid,
    name varchar(255) not null,
    stage_id uuid not null references crm.pipeline_stages,
    stage_entered_at timestamptz not null default clock_timestamp(),
    amount numeric(14, 2) check (amount >= 0),
    currency_code char(3) not null default 'USD' check (currency_code ~ '^[A-Z]{3}$'),
    probability numeric(5, 4),
    expected_close_date date,
    closed_at timestamptz,
    lost_reason varchar(100),
    merged_into_id uuid references crm.opportunities,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    constraint opportunities_closed_check check (closed_at >= created_at)
);

-- deferrable: a lead and its opportunity name each other
alter table crm.leads
    add foreign key (converted_opportunity_id) references crm.opportunities deferrable;

create index opportunities_stage on crm.opportunities (stage_id) where deleted_at is null;
create index opportunities_cursor on crm.opportunities (updated_at, id);

-- a stage that is moved to is entered now, unless the writer says when; a closed stage has a closed_at, an open one none
create function crm.keep_stage_dates() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' and new.stage_id <> old.stage_id and new.stage_entered_at = old.stage_entered_at then
        new.stage_entered_at := clock_timestamp();
    end if;
    if (select is_closed from crm.pipeline_stages where id = new.stage_id) then
        new.closed_at := coalesce(new.closed_at, new.stage_entered_at);
    else
        new.closed_at := null;
    end if;
    return new;
end $$;
comment on function crm.keep_stage_dates() is 'Keeps stage_entered_at and closed_at in step with the stage; reopening clears closed_at.';

create trigger keep_stage_dates before insert or update of stage_id, stage_entered_at, closed_at on crm.opportunities
    for each row execute function crm.keep_stage_dates();
create trigger zz_touch_insert before insert on crm.opportunities
    for each row execute function crm.set_updated_at();
create trigger zz_touch_update before update on crm.opportunities
    for each row when (old.* is distinct from new.*) execute function crm.set_updated_at();

comment on table crm.opportunities is 'Deals and the stage they are in; every move is kept in opportunity_stage_history.';
comment on column crm.opportunities.owner_user_id is 'The PromptSales user who owns the row (promptsales.users.id; no foreign key reaches across databases).';
comment on column crm.opportunities.stage_entered_at is 'When the deal entered its stage; kept by trigger unless the writer says.';
comment on column crm.opportunities.amount is 'Value of the deal in currency_code.';
comment on column crm.opportunities.probability is 'Chance of winning from 0 to 1; null means the stage''s default.';
comment on column crm.opportunities.closed_at is 'When the deal was decided; kept in step with the stage by trigger.';
comment on column crm.opportunities.merged_into_id is 'The surviving deal after a merge; such rows count nowhere.';
comment on column crm.opportunities.deleted_at is 'When the row was deleted; null while it lives.';
