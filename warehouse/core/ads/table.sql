-- core.ads: fed by the stream, keyed by the source's id; comments come from contract.yml. A delete may come first, so only
-- the key and the version are never null
create table core.ads (
    ad_id uuid primary key,
    ad_group_id uuid,
    content_id text,
    type varchar(50),
    status varchar(20),
    created_at timestamptz,
    updated_at timestamptz,
    deleted_at timestamptz,
    is_deleted boolean not null,
    src_epoch integer not null,
    src_lsn bigint not null,
    src_is_snapshot boolean not null,
    _loaded_at timestamptz not null
) with (fillfactor = 80);

create table core.ads_history (
    ad_id uuid not null,
    status varchar(20),
    content_id text,
    ad_group_id uuid,
    valid_from timestamptz not null,
    valid_to timestamptz not null,
    primary key (ad_id, valid_from),
    check (valid_from < valid_to)
);

-- one current version a key; with the primary key and the check above, versions cannot overlap unnoticed
create unique index ads_history_current on core.ads_history (ad_id) where valid_to = 'infinity';
