-- core.ad_groups: fed by the stream, keyed by the source's id; comments come from contract.yml. A delete may come first, so only
-- the key and the version are never null
create table core.ad_groups (
    ad_group_id uuid primary key,
    campaign_id uuid,
    name varchar(255),
    target_audience jsonb,
    created_at timestamptz,
    updated_at timestamptz,
    deleted_at timestamptz,
    is_deleted boolean not null,
    src_epoch integer not null,
    src_lsn bigint not null,
    src_is_snapshot boolean not null,
    _loaded_at timestamptz not null
) with (fillfactor = 80);

create table core.ad_groups_history (
    ad_group_id uuid not null,
    name varchar(255),
    target_audience jsonb,
    valid_from timestamptz not null,
    valid_to timestamptz not null,
    primary key (ad_group_id, valid_from),
    check (valid_from < valid_to)
);

-- one current version a key; with the primary key and the check above, versions cannot overlap unnoticed
create unique index ad_groups_history_current on core.ad_groups_history (ad_group_id) where valid_to = 'infinity';
