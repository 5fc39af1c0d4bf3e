-- prices of tokens so cheap that eight places show 0
alter table marts.ai_cost_daily
    alter column cost_per_1k_tokens type numeric(26,12), alter column cost_per_1m_tokens type numeric(26,12);
