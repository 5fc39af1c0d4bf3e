-- naive times are read as UTC, so a default is the UTC of its instant, whatever time zone the session has
alter table promptads.campaign_metrics alter column timestamp set default (now() at time zone 'UTC');
alter table promptads.ad_metrics alter column timestamp set default (now() at time zone 'UTC');
