-- the hourly audit reads the last hours; rows come about in this order, and such an index costs a write next to nothing
create index on core.opportunity_stage_history using brin (_loaded_at);
