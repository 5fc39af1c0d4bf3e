-- sums of a thousand million rows of the largest values that the inputs may hold, and their ratios
alter table marts.ai_cost_daily
    alter column tokens type numeric(28,0),
    alter column rated_tokens type numeric(28,0),
    alter column cost_per_1k_tokens type numeric(38,12),
    alter column cost_per_1m_tokens type numeric(38,10);
