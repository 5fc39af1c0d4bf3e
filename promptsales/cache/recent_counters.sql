select 'minute', campaign_id, minute, impressions, clicks, spend, conversions, version
from realtime.campaign_minute
where minute > clock_timestamp() - make_interval(secs => %(minute_s)s) and (%(all)s or updated_at > %(since)s)
union all
select 'day', campaign_id, date_day::timestamp at time zone 'UTC', impressions, clicks, spend, conversions, version
from realtime.campaign_day
where date_day > (clock_timestamp() - make_interval(secs => %(day_s)s))::date
  and (%(all)s or updated_at > %(since)s)
