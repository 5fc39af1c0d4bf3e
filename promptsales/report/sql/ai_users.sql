select left(user_id::text, 8) as "user", sum(prompts) as prompts, sum(tokens) as tokens, round(sum(cost), 2) as "cost, USD",
       round(1000 * sum(rated_cost) / nullif(sum(rated_tokens), 0), 5) as "per 1k tokens"
from marts.ai_cost_daily group by 1 order by 4 desc limit 20
