-- marts.ai_cost_daily: built by spark_jobs/ai_cost_daily.py; comments come from mart.yml
create table marts.ai_cost_daily (
    date_day date not null,
    model_label varchar(100) not null,
    user_id uuid not null,
    currency_code char(3) not null,
    prompts bigint not null,
    tokens bigint not null,
    cost numeric(28,8) not null,
    rated_tokens bigint not null,
    rated_cost numeric(28,8) not null,
    cost_per_1k_tokens numeric(20,8),
    cost_per_1m_tokens numeric(20,6),
    primary key (date_day, model_label, user_id, currency_code)
);
