-- from the mart that this view reads, which has its own expected statement
with figure as (
    select campaign_id, date_day, currency_code, campaign_name, v.* from marts.campaign_performance_daily,
    lateral (values ('spend', spend), ('impressions', impressions), ('clicks', clicks), ('conversions', conversions)) v(measure, value)
), pair as (
    select f.*, b.value as other from figure f left join figure b
      on (b.campaign_id, b.currency_code, b.measure) = (f.campaign_id, f.currency_code, f.measure)
     and b.date_day < f.date_day and b.date_day >= f.date_day - 84 and extract(dow from b.date_day) = extract(dow from f.date_day)
), centre as (
    select campaign_id, date_day, currency_code, measure, percentile_cont(0.5) within group (order by other) as median
    from pair group by 1, 2, 3, 4
)
select campaign_id, date_day, currency_code, p.campaign_name, measure, p.value, count(p.other), c.median,
       percentile_cont(0.5) within group (order by abs(p.other - c.median)),
       count(p.other) >= 6 and case percentile_cont(0.5) within group (order by abs(p.other - c.median))
           when 0 then abs(p.value - c.median) > c.median / 2
           else abs(p.value - c.median) > 3.5 * 1.4826 * percentile_cont(0.5) within group (order by abs(p.other - c.median)) end
from pair p join centre c using (campaign_id, date_day, currency_code, measure)
group by campaign_id, date_day, currency_code, p.campaign_name, measure, p.value, c.median
