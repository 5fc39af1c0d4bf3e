-- core.pipeline_stages: current state, keyed by the CRM's id; comments come from contract.yml
create table core.pipeline_stages (
    stage_id uuid primary key,
    pipeline_code varchar(50) not null,
    name varchar(100) not null,
    position smallint not null,
    default_probability numeric(5, 4) not null,
    is_closed boolean not null,
    is_won boolean not null,
    is_active boolean not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    deleted_at timestamptz,
    _extraction bigint not null,
    _loaded_at timestamptz not null
);
