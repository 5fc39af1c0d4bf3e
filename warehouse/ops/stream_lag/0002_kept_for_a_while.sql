-- history is let go of with the minutes of campaigns
grant delete on ops.stream_lag to warehouse_loader;
comment on table ops.stream_lag is 'How far each connector was behind, in its three hops, whenever DAG stream_health looked; kept as long as minutes of campaigns.';
