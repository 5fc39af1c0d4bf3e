create index on ops.mart_build (published_at);
