select model_label as model, round(sum(cost), 2) as "cost, USD" from marts.ai_cost_daily group by 1 order by 2 desc limit 12
