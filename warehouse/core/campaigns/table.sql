-- core.campaigns: fed by the stream, keyed by the source's id; comments come from contract.yml. A delete may come first, so only
-- the key and the version are never null
create table core.campaigns (
    campaign_id uuid primary key,
    user_id uuid,
    name varchar(255),
    objective varchar(100),
    budget numeric(10,2),
    currency_code char(3),
    status varchar(20),
    starts_at timestamptz,
    ends_at timestamptz,
    created_at timestamptz,
    updated_at timestamptz,
    deleted_at timestamptz,
    is_deleted boolean not null,
    src_epoch integer not null,
    src_lsn bigint not null,
    src_is_snapshot boolean not null,
    _loaded_at timestamptz not null
) with (fillfactor = 80);

create table core.campaigns_history (
    campaign_id uuid not null,
    name varchar(255),
    objective varchar(100),
    budget numeric(10,2),
    status varchar(20),
    starts_at timestamptz,
    ends_at timestamptz,
    user_id uuid,
    valid_from timestamptz not null,
    valid_to timestamptz not null,
    primary key (campaign_id, valid_from),
    check (valid_from < valid_to)
);

-- one current version a key; with the primary key and the check above, versions cannot overlap unnoticed
create unique index campaigns_history_current on core.campaigns_history (campaign_id) where valid_to = 'infinity';
