-- leads that name a campaign by their utm only, for the marts
create index on core.leads (lower(btrim(utm_campaign, ' '))) where campaign_id is null and utm_campaign is not null;
