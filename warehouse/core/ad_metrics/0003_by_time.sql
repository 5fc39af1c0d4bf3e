-- marts read whole days, of all ads
create index on core.ad_metrics using brin (metric_at) with (pages_per_range = 16);
