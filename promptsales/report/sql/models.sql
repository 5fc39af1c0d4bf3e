select model_label as model, round(100 * sum(clicks)::numeric / nullif(sum(impressions), 0), 3) as "CTR, %%"
from marts.ai_model_performance_monthly group by 1 having sum(impressions) > 0 order by 2 desc limit 12
