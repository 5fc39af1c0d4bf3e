-- marts read whole months, of all deals
create index on core.opportunity_stage_history using brin (changed_at) with (pages_per_range = 16);
