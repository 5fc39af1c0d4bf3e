-- what each campaign brought in each minute: moved by the differences of the rows of core.campaign_metrics, in the same transaction
create table realtime.campaign_minute (
    campaign_id uuid not null,
    minute timestamptz not null,
    impressions bigint not null,
    clicks bigint not null,
    spend numeric(20,4) not null,
    conversions bigint not null,
    version bigint not null,
    updated_at timestamptz not null default clock_timestamp(),
    primary key (campaign_id, minute)
) with (fillfactor = 70);
create index on realtime.campaign_minute (minute);
comment on table realtime.campaign_minute is 'What each campaign brought in each UTC minute, to the last correction; minutes that are older than the setting when they come are left out.';
comment on column realtime.campaign_minute.campaign_id is 'The campaign (core.campaigns).';
comment on column realtime.campaign_minute.minute is 'First instant of the minute, UTC.';
comment on column realtime.campaign_minute.impressions is 'Times shown; additive.';
comment on column realtime.campaign_minute.clicks is 'Clicks; additive.';
comment on column realtime.campaign_minute.spend is 'Money spent, in the campaign''s currency_code; additive.';
comment on column realtime.campaign_minute.conversions is 'Conversions as the ad platform reports them; additive.';
comment on column realtime.campaign_minute.version is 'Rises with every change: an older figure never replaces a newer one in the cache.';
comment on column realtime.campaign_minute.updated_at is 'When the minute last changed.';
