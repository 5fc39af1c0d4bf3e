-- what the given DDL leaves open is said here, beside the columns it is about
comment on schema promptads is 'PromptAds: campaigns, what they show, and what that brought.';
comment on table promptads.campaigns is 'Advertising campaigns of a user.';
comment on table promptads.ad_groups is 'Groups of ads with one target audience.';
comment on table promptads.ads is 'Ads; content_id is the id of a content asset in MongoDB.';
comment on table promptads.campaign_metrics is 'What a campaign brought, as additive deltas: several rows may share campaign and timestamp.';
comment on table promptads.ad_metrics is 'What an ad brought, as additive deltas; need not add up to the campaign''s, as not all delivery is at ad level.';
comment on column promptads.campaigns.budget is 'Budget of the whole flight, in currency_code.';
comment on column promptads.campaigns.currency_code is 'ISO 4217 code of budget and of the spend in both metrics tables.';
comment on column promptads.campaigns.start_date is 'First instant of the flight; naive, read as UTC.';
comment on column promptads.campaigns.end_date is 'End of the flight; naive, read as UTC.';
comment on column promptads.ads.content_id is 'Id of the asset in promptcontent.content_assets; no foreign key reaches across databases.';
comment on column promptads.campaign_metrics.timestamp is 'When it happened; naive, read as UTC; now() is the transaction''s, so rows may share it.';
comment on column promptads.campaign_metrics.spend is 'Money spent since the row before, in the campaign''s currency_code.';
comment on column promptads.campaign_metrics.conversions is 'Conversions as the ad platform reports them; may exceed clicks.';
comment on column promptads.ad_metrics.timestamp is 'When it happened; naive, read as UTC.';
comment on column promptads.ad_metrics.spend is 'Money spent since the row before, in the campaign''s currency_code.';
