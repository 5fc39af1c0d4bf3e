-- the rules that compare yesterday with four weeks before read what this index holds, and no row
drop index core.leads_created;
create index leads_created on core.leads (created_at) include (lead_id, campaign_id);
