-- stages are rows, so that a tenant may have stages of its own
create table crm.pipeline_stages (
    id uuid primary key default gen_random_uuid(),
    pipeline_code varchar(50) not null default 'default',
    name varchar(100) not null,
    position smallint not null,
    default_probability numeric(5, 4) not null check (default_probability between 0 and 1),
    is_closed boolean not null default false,
    is_won boolean not null default false,
    is_active boolean not null default true,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    unique (pipeline_code, name),
    unique (pipeline_code, position) deferrable,
    constraint pipeline_stages_won_check check (is_closed or not is_won),
    constraint pipeline_stages_closed_check check (not is_closed or default_probability = is_won::int)
);

create index pipeline_stages_cursor on crm.pipeline_stages (updated_at, id);

create function crm.refuse_delete() returns trigger language plpgsql as $$
begin
    raise exception '% keeps its rows: set deleted_at instead', tg_table_name using errcode = 'restrict_violation';
end $$;
comment on function crm.refuse_delete() is 'Refuses a hard delete: history would lose its labels.';

create trigger no_delete before delete on crm.pipeline_stages
    for each statement execute function crm.refuse_delete();
create trigger zz_touch_insert before insert on crm.pipeline_stages
    for each row execute function crm.set_updated_at();
create trigger zz_touch_update before update on crm.pipeline_stages
    for each row when (old.* is distinct from new.*) execute function crm.set_updated_at();

comment on table crm.pipeline_stages is 'Stages of the sales pipelines; never deleted, as history would lose its labels.';
comment on column crm.pipeline_stages.default_probability is 'Chance of winning a deal in this stage, from 0 to 1.';
comment on column crm.pipeline_stages.is_closed is 'Whether a deal in this stage is decided.';
comment on column crm.pipeline_stages.is_won is 'Whether it is decided for us.';
comment on column crm.pipeline_stages.deleted_at is 'When the stage was retired; null while it lives.';
