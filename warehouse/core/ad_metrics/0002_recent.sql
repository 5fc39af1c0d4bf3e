-- the hourly audit reads the last hours; rows come about in this order, and such an index costs a write next to nothing
create index on core.ad_metrics using brin (updated_at);
create index on core.ad_metrics using brin (_loaded_at);
