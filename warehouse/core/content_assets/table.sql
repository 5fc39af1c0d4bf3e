-- core.content_assets: current state, keyed by the source's id; comments come from contract.yml
create table core.content_assets (
    asset_id text primary key,
    project_id text,
    type text not null,
    url text,
    width integer,
    height integer,
    format text,
    size_bytes bigint,
    tags text[],
    model text,
    prompt_length integer,
    prompt_hmac bytea,
    pii_kid integer not null,
    generated_at timestamptz,
    status text not null,
    approved_at timestamptz,
    archived_at timestamptz,
    created_by_user_id uuid,
    prompt_history_id text,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    deleted_at timestamptz,
    _extraction bigint not null,
    _loaded_at timestamptz not null
);

create table core.content_assets_history (
    asset_id text not null,
    status text not null,
    valid_from timestamptz not null,
    valid_to timestamptz not null,
    primary key (asset_id, valid_from),
    check (valid_from < valid_to)
);

-- one current version an asset; with the primary key and the check above, versions cannot overlap unnoticed
create unique index content_assets_history_current on core.content_assets_history (asset_id) where valid_to = 'infinity';
