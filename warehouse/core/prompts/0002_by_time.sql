-- marts read whole days, and the prompts of assets
create index on core.prompts using brin (prompted_at) with (pages_per_range = 16);
create index on core.prompts (asset_id);
