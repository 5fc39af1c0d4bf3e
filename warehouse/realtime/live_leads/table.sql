-- realtime.lead: fed by the stream, keyed by the source's id; comments come from contract.yml. A delete may come first, so only
-- the key and the version are never null
create table realtime.lead (
    lead_id uuid primary key,
    campaign_id uuid,
    lead_source varchar(40),
    status varchar(20),
    merged_into_id uuid,
    created_at timestamptz,
    qualified_at timestamptz,
    converted_at timestamptz,
    updated_at timestamptz,
    deleted_at timestamptz,
    is_deleted boolean not null,
    src_epoch integer not null,
    src_lsn bigint not null,
    src_is_snapshot boolean not null,
    _loaded_at timestamptz not null
) with (fillfactor = 80);
