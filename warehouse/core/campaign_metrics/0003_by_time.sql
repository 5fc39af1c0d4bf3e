-- marts read whole days, of all campaigns
create index on core.campaign_metrics using brin (metric_at) with (pages_per_range = 16);
