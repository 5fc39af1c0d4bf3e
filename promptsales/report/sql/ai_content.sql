select to_char(month_start_date, 'YYYY-MM') as month, sum(assets) as assets, sum(approved) as approved, sum(drafts) as drafts,
       round(100 * sum(approved)::numeric / nullif(sum(approved + archived_never_approved), 0), 1) as "approval, %%",
       round(sum(linked_cost) / nullif(sum(approved), 0), 4) as "cost per approved, USD",
       round(sum(unlinked_cost), 2) as "unlinked, USD"
from marts.content_production_monthly group by 1 order by 1 desc limit 12
