-- what prompts cost that no asset is linked to, beside what is linked
alter table marts.content_production_monthly add column unlinked_cost numeric(28,8) not null default 0;
