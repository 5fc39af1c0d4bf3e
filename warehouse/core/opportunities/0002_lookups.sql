-- marts read the deals of leads and of accounts, and those closed in a month
create index on core.opportunities (source_lead_id);
create index on core.opportunities (account_id);
create index on core.opportunities using brin (closed_at) with (pages_per_range = 16);
