-- an update that names stage_entered_at says when, also where the value is that of the stage before: imports have dates
-- only. Triggers run in the order of their names, and one with a column list only where the statement sets that column.
create function crm.note_given_stage_date() returns trigger language plpgsql as $$
begin
    perform set_config('crm.stage_date_given_for', new.id::text, true);
    return new;
end $$;
comment on function crm.note_given_stage_date() is 'Notes that the statement sets stage_entered_at, for keep_stage_dates() of the same row.';

create trigger given_stage_date before update of stage_entered_at on crm.opportunities
    for each row execute function crm.note_given_stage_date();

create or replace function crm.keep_stage_dates() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' then
        if new.stage_id <> old.stage_id and new.stage_entered_at = old.stage_entered_at
           and current_setting('crm.stage_date_given_for', true) is distinct from new.id::text then
            new.stage_entered_at := clock_timestamp();
        end if;
        perform set_config('crm.stage_date_given_for', '', true);
    end if;
    if (select is_closed from crm.pipeline_stages where id = new.stage_id) then
        new.closed_at := coalesce(new.closed_at, new.stage_entered_at);
    else
        new.closed_at := null;
    end if;
    return new;
end $$;
comment on column crm.opportunities.stage_entered_at is 'When the deal entered its stage; the time of the update, unless the statement sets this column.';
