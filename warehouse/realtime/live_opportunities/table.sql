-- realtime.opportunity: fed by the stream, keyed by the source's id; comments come from contract.yml. A delete may come first, so only
-- the key and the version are never null
create table realtime.opportunity (
    opportunity_id uuid primary key,
    campaign_id uuid,
    source_lead_id uuid,
    stage_id uuid,
    amount numeric(14,2),
    currency_code char(3),
    merged_into_id uuid,
    created_at timestamptz,
    closed_at timestamptz,
    updated_at timestamptz,
    deleted_at timestamptz,
    is_deleted boolean not null,
    src_epoch integer not null,
    src_lsn bigint not null,
    src_is_snapshot boolean not null,
    _loaded_at timestamptz not null
) with (fillfactor = 80);
