-- who is the same person, and how many leads a day brought: what checks look up beyond the batch
create index leads_email on core.leads (email_hmac);
create index leads_created on core.leads (created_at);
