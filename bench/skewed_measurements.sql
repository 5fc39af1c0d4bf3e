-- A million measurements, ten thousand of them of one campaign at one instant. Run it on a warehouse that may be thrown away.
insert into core.campaign_metrics (
    metric_id, campaign_id, metric_at, impressions, clicks, spend, conversions, updated_at, is_deleted, src_epoch, src_lsn, src_is_snapshot,
    _loaded_at
)
select n, lpad(to_hex(case when n <= 10000 then 0 else n % 3000 end), 32, '0')::uuid,
       timestamptz '2026-01-01' + case when n <= 10000 then 0 else n / 3000 end * interval '5 minutes',
       10, 1, 0.5, 0, '2026-01-03', false, 1, n, false, now()
from generate_series(1, 1000000) n
on conflict (metric_id) do nothing;
analyze core.campaign_metrics;
