-- core.ad_metrics: fed by the stream, keyed by the source's id; comments come from contract.yml. A delete may come first, so only
-- the key and the version are never null
create table core.ad_metrics (
    metric_id bigint primary key,
    ad_id uuid,
    metric_at timestamptz,
    impressions integer,
    clicks integer,
    spend numeric(18,4),
    conversions integer,
    updated_at timestamptz,
    is_deleted boolean not null,
    src_epoch integer not null,
    src_lsn bigint not null,
    src_is_snapshot boolean not null,
    _loaded_at timestamptz not null
) with (fillfactor = 80);
create index on core.ad_metrics (ad_id, metric_at);
