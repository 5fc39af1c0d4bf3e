-- minutes past their time: no later correction begins one of them anew; and how far the stream was behind then
with lag as (
    delete from ops.stream_lag where noted_at < clock_timestamp() - make_interval(days => %(minutes_days)s)
)
delete from realtime.campaign_minute where minute < clock_timestamp() - make_interval(days => %(minutes_days)s)
