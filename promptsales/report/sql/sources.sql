select attribution_method as method, count(*) as leads from marts.lead_attribution group by 1 order by 2 desc
