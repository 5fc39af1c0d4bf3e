with flight as (
    select c.campaign_id, generate_series((c.starts_at at time zone 'UTC')::date,
                                          least((c.ends_at at time zone 'UTC')::date, %(as_of_day)s::date), '1 day')::date as day
    from core.campaigns c where not c.is_deleted and c.deleted_at is null
), fact as (
    select campaign_id, (metric_at at time zone 'UTC')::date as day, sum(impressions) as impressions, sum(clicks) as clicks,
           sum(spend) as spend, sum(conversions) as conversions
    from core.campaign_metrics where not is_deleted group by 1, 2
), cell as (
    select campaign_id, day, coalesce(impressions, 0) as impressions, coalesce(clicks, 0) as clicks, coalesce(spend, 0) as spend,
           coalesce(conversions, 0) as conversions, f.impressions is not null as has_data
    from fact f full join flight using (campaign_id, day) where day <= %(as_of_day)s::date
)
select campaign_id, day, coalesce(c.currency_code, 'XXX'),
       coalesce((select h.name from core.campaigns_history h where h.campaign_id = cell.campaign_id
                 and h.valid_from < (day + 1)::timestamp at time zone 'UTC' and h.valid_to >= (day + 1)::timestamp at time zone 'UTC'), 'Unknown'),
       c.user_id, impressions, clicks, spend, conversions,
       round(clicks::numeric / nullif(impressions, 0), 6), round(spend / nullif(clicks, 0), 6), round(1000 * spend / nullif(impressions, 0), 6),
       round(conversions::numeric / nullif(clicks, 0), 6), round(spend / nullif(conversions, 0), 6),
       has_data, day > %(as_of_day)s::date - 3
from cell left join core.campaigns c using (campaign_id)
