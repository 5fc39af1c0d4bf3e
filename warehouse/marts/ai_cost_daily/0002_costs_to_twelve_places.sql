-- sums of costs that are each below a hundred millionth of a dollar
alter table marts.ai_cost_daily alter column cost type numeric(38,12), alter column rated_cost type numeric(38,12);
