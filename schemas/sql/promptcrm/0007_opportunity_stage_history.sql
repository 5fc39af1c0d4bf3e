-- every move of a deal, written by the trigger below and by nobody else
create table crm.opportunity_stage_history (
    id bigint generated always as identity primary key,
    opportunity_id uuid not null references crm.opportunities,
    from_stage_id uuid references crm.pipeline_stages,
    to_stage_id uuid not null references crm.pipeline_stages,
    amount_at_change numeric(14, 2),
    changed_by_user_id uuid,
    changed_at timestamptz not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint opportunity_stage_history_moves_check check (from_stage_id <> to_stage_id)
);

create index opportunity_stage_history_cursor on crm.opportunity_stage_history (updated_at, id);
create index opportunity_stage_history_order on crm.opportunity_stage_history (opportunity_id, changed_at, id);

create function crm.log_stage() returns trigger language plpgsql as $$
begin
    insert into crm.opportunity_stage_history
        (opportunity_id, from_stage_id, to_stage_id, amount_at_change, changed_by_user_id, changed_at)
    values (
        new.id,
        case when tg_op = 'UPDATE' then old.stage_id end,
        new.stage_id,
        new.amount,
        nullif(current_setting('crm.user_id', true), '')::uuid,
        new.stage_entered_at
    );
    return null;
end $$;
comment on function crm.log_stage() is 'Writes a move to opportunity_stage_history; the application names the user by set_config(''crm.user_id'', ..).';

create function crm.refuse_write() returns trigger language plpgsql as $$
begin
    raise exception '% is written by its trigger only', tg_table_name using errcode = 'restrict_violation';
end $$;
comment on function crm.refuse_write() is 'Refuses to write a log by hand.';

create trigger log_stage_insert after insert on crm.opportunities
    for each row execute function crm.log_stage();
create trigger log_stage_update after update on crm.opportunities
    for each row when (old.stage_id <> new.stage_id) execute function crm.log_stage();
create trigger by_trigger_only before insert or update or delete on crm.opportunity_stage_history
    for each statement when (pg_trigger_depth() = 0) execute function crm.refuse_write();
create trigger zz_touch_insert before insert on crm.opportunity_stage_history
    for each row execute function crm.set_updated_at();

comment on table crm.opportunity_stage_history is 'Every move of a deal from stage to stage; a log: rows are never changed.';
comment on column crm.opportunity_stage_history.from_stage_id is 'The stage before; null when the deal was made.';
comment on column crm.opportunity_stage_history.amount_at_change is 'The deal''s amount when it moved.';
comment on column crm.opportunity_stage_history.changed_by_user_id is 'The user who moved it, where the application said so.';
comment on column crm.opportunity_stage_history.changed_at is 'When the deal entered the stage.';
