-- core.opportunity_stage_history: fed by the stream, keyed by the source's id; comments come from contract.yml. A delete may come first, so only
-- the key and the version are never null
create table core.opportunity_stage_history (
    change_id bigint primary key,
    opportunity_id uuid,
    from_stage_id uuid,
    to_stage_id uuid,
    amount_at_change numeric(14,2),
    changed_by_user_id uuid,
    changed_at timestamptz,
    created_at timestamptz,
    updated_at timestamptz,
    is_deleted boolean not null,
    src_epoch integer not null,
    src_lsn bigint not null,
    src_is_snapshot boolean not null,
    _loaded_at timestamptz not null
) with (fillfactor = 80);
create index on core.opportunity_stage_history (opportunity_id, changed_at, change_id);
