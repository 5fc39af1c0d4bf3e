-- a round walks the keys of both tables in order, so that each part costs the same however many figures there are
(select 'minute', campaign_id, minute, impressions, clicks, spend, conversions, version
 from realtime.campaign_minute
 where minute > clock_timestamp() - make_interval(secs => %(minute_s)s)
   and (%(kind)s = 'minute' and (campaign_id, minute) > (%(campaign_id)s, %(starts_at)s))
 order by campaign_id, minute limit %(limit)s)
union all
(select 'day', campaign_id, date_day::timestamp at time zone 'UTC', impressions, clicks, spend, conversions, version
 from realtime.campaign_day
 where date_day > (clock_timestamp() - make_interval(secs => %(day_s)s))::date
   and (%(kind)s = 'minute'
        or (campaign_id, date_day) > (%(campaign_id)s, (%(starts_at)s at time zone 'UTC')::date))
 order by campaign_id, date_day limit %(limit)s)
limit %(limit)s
