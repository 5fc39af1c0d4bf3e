-- what each campaign brought in all; also the row that two workers lock before they compare spend with budget
create table realtime.campaign_total (
    campaign_id uuid primary key,
    impressions bigint not null,
    clicks bigint not null,
    spend numeric(20,4) not null,
    conversions bigint not null,
    budget_level_pct integer not null default 0,
    updated_at timestamptz not null default clock_timestamp()
) with (fillfactor = 70);
comment on table realtime.campaign_total is 'What each campaign brought in all, to the last correction.';
comment on column realtime.campaign_total.campaign_id is 'The campaign (core.campaigns).';
comment on column realtime.campaign_total.impressions is 'Times shown; additive.';
comment on column realtime.campaign_total.clicks is 'Clicks; additive.';
comment on column realtime.campaign_total.spend is 'Money spent, in the campaign''s currency_code; additive.';
comment on column realtime.campaign_total.conversions is 'Conversions as the ad platform reports them; additive.';
comment on column realtime.campaign_total.budget_level_pct is 'The highest of 80, 100 and 120 per cent of its budget that it has spent; 0 below.';
comment on column realtime.campaign_total.updated_at is 'When it last changed.';
