-- what each campaign brought on each day: moved by the differences of the rows of core.campaign_metrics, in the same transaction
create table realtime.campaign_day (
    campaign_id uuid not null,
    date_day date not null,
    impressions bigint not null,
    clicks bigint not null,
    spend numeric(20,4) not null,
    conversions bigint not null,
    version bigint not null,
    updated_at timestamptz not null default clock_timestamp(),
    primary key (campaign_id, date_day)
) with (fillfactor = 70);
comment on table realtime.campaign_day is 'What each campaign brought on each UTC day, to the last correction; kept for ever.';
comment on column realtime.campaign_day.campaign_id is 'The campaign (core.campaigns).';
comment on column realtime.campaign_day.date_day is 'UTC day.';
comment on column realtime.campaign_day.impressions is 'Times shown; additive.';
comment on column realtime.campaign_day.clicks is 'Clicks; additive.';
comment on column realtime.campaign_day.spend is 'Money spent, in the campaign''s currency_code; additive.';
comment on column realtime.campaign_day.conversions is 'Conversions as the ad platform reports them; additive.';
comment on column realtime.campaign_day.version is 'Rises with every change: an older figure never replaces a newer one in the cache.';
comment on column realtime.campaign_day.updated_at is 'When the day last changed.';
