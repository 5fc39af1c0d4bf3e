-- minutes past their time: no later correction begins one of them anew
delete from realtime.campaign_minute where minute < clock_timestamp() - make_interval(days => %(minutes_days)s)
