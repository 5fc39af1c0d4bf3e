-- what checks look up beyond the batch: whose campaign a lead's utm names, and which campaigns run
create index on core.campaigns_history (user_id, lower(btrim(name, ' ')));
create index on core.campaigns (campaign_id) where status = 'active' and not is_deleted;
