select to_char(month_start_date, 'YYYY-MM') as month, sum(won) as won, sum(lost) as lost
from marts.sales_performance_monthly group by 1 order by 1
