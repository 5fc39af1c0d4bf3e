-- one row each time a campaign's spend and budget cross a level upwards
create table realtime.budget_alert (
    alert_id uuid primary key default gen_random_uuid(),
    campaign_id uuid not null,
    level_pct integer not null check (level_pct in (80, 100, 120)),
    spend numeric(20,4) not null,
    budget numeric(10,2) not null,
    currency_code char(3),
    alerted_at timestamptz not null default clock_timestamp()
);
comment on table realtime.budget_alert is 'One row each time a campaign''s spend crosses 80, 100 or 120 per cent of its budget, by spend or by a changed budget.';
comment on column realtime.budget_alert.alert_id is 'Id of the alert.';
comment on column realtime.budget_alert.campaign_id is 'The campaign (core.campaigns).';
comment on column realtime.budget_alert.level_pct is 'The level that was crossed, in per cent of the budget.';
comment on column realtime.budget_alert.spend is 'All spend of the campaign then, in currency_code.';
comment on column realtime.budget_alert.budget is 'Its budget then, in currency_code.';
comment on column realtime.budget_alert.currency_code is 'ISO 4217 code of both.';
comment on column realtime.budget_alert.alerted_at is 'When it was noticed, UTC.';
