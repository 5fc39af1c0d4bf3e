-- what ads measured themselves; and of campaigns with an active ad and no figures of ads on a day, what they brought
with built as (select %(ranges)s::datemultirange as days),
ad as (
    select h.ad_id, g.campaign_id, h.status, not a.is_deleted as is_there,
           (h.valid_from at time zone %(zone)s)::date as first_day, (h.valid_to at time zone %(zone)s)::date as end_day,
           greatest((a.created_at at time zone %(zone)s)::date, (h.valid_from at time zone %(zone)s)::date) as active_from,
           least((a.deleted_at at time zone %(zone)s)::date, (h.valid_to at time zone %(zone)s)::date) as active_to
    from core.ads_history h left join core.ad_groups g using (ad_group_id) left join core.ads a using (ad_id)
), own as (
    select m.ad_id, d.day, m.impressions, m.spend
    from built cross join core.ad_metrics m
    cross join lateral (select (m.metric_at at time zone %(zone)s)::date as day) d
    where not m.is_deleted and d.day <@ built.days and d.day <= %(as_of_day)s
      and m.metric_at >= lower(built.days) - 1 and m.metric_at < upper(built.days) + 1
), shared as (
    select p.impressions, p.spend
    from built cross join marts.campaign_performance_daily p
    where p.date_day <@ built.days
      and exists (
          select from ad where ad.campaign_id = p.campaign_id and ad.status = 'active' and ad.is_there
            and ad.active_from <= p.date_day and p.date_day < ad.active_to
      )
      and not exists (
          select from own join ad using (ad_id)
          where ad.campaign_id = p.campaign_id and own.day = p.date_day
            and ad.first_day <= own.day and own.day < ad.end_day
      )
)
select sum(impressions) as impressions, sum(spend) as spend
from (
    select impressions, spend from own
    union all
    select impressions, spend from shared
) delivery
