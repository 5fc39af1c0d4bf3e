-- the leads and the spend of the months, from the marts that it is built from
with built as (select %(ranges)s::datemultirange as days)
select (select count(*) from marts.lead_attribution l where l.date_day <@ built.days) as leads,
       (select sum(p.spend) from marts.campaign_performance_daily p where p.date_day <@ built.days) as spend
from built
