-- marts read whole months
create index on core.content_assets using brin (created_at) with (pages_per_range = 16);
