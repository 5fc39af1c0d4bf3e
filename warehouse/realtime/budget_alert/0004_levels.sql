-- the levels of budget alerts, said once: the stream reads them here, and so does the check
create function realtime.budget_levels() returns integer[] language sql immutable parallel safe
return array[80, 100, 120];
comment on function realtime.budget_levels is 'Percentages of a campaign''s budget; crossing one upwards writes a budget alert.';
alter table realtime.budget_alert drop constraint budget_alert_level_pct_check;
alter table realtime.budget_alert add constraint budget_alert_level_pct_check check (level_pct = any (realtime.budget_levels()));
comment on table realtime.budget_alert is 'One row each time a campaign''s spend crosses a level of its budget (realtime.budget_levels), by spend or by a changed budget.';
