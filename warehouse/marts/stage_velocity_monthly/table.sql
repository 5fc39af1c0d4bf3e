-- marts.stage_velocity_monthly: built by spark_jobs/stage_velocity_monthly.py; comments come from mart.yml
create table marts.stage_velocity_monthly (
    month_start_date date not null,
    stage_id uuid not null,
    pipeline_code varchar(50),
    stage_name varchar(100),
    stage_position smallint,
    visits bigint not null,
    forward_visits bigint not null,
    median_days_in_stage numeric(10,2),
    p90_days_in_stage numeric(10,2),
    forward_rate numeric(20,6),
    primary key (month_start_date, stage_id)
);
