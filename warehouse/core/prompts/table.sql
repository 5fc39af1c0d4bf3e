-- core.prompts: a log, keyed by the source's id; comments come from contract.yml
create table core.prompts (
    prompt_id text primary key,
    user_id uuid not null,
    tool text not null,
    input_length integer,
    input_hmac bytea,
    output_length integer,
    output_hmac bytea,
    pii_kid integer not null,
    tokens_used bigint,
    cost_amount numeric(18, 8),
    prompted_at timestamptz not null,
    asset_id text,
    deleted_at timestamptz,
    _extraction bigint not null,
    _loaded_at timestamptz not null
);
