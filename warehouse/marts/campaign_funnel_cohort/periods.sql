select day from ops.touched
where core_table in ('marts.lead_attribution', 'marts.campaign_performance_daily') and touched_at >= %(since)s
union
-- cohorts below one year grow older
select generate_series(%(as_of_day)s::date - interval '13 months', %(as_of_day)s::date, interval '1 month')::date
where %(as_of_day)s::date > %(was_day)s::date
union
select m.month_start_date
from core.campaigns c join marts.campaign_funnel_cohort m using (campaign_id)
where c._loaded_at >= %(since)s and (m.currency_code <> coalesce(c.currency_code, 'XXX') or m.campaign_name = 'Unknown')
union
-- the running month shows the name of today
select %(as_of_day)s::date from core.campaigns where _loaded_at >= %(since)s
