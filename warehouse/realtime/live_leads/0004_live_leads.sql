-- realtime.lead was too easily taken for core.leads. The rows stay, with their versions and all that ops records of them
alter table realtime.lead rename to live_leads;
do $$
declare
    named record;
begin
    for named in
        select conname::text as old from pg_constraint
        where conrelid = 'realtime.live_leads'::regclass and starts_with(conname::text, 'lead_')
    loop
        execute format(
            'alter table realtime.live_leads rename constraint %I to %I', named.old, regexp_replace(named.old, '^lead', 'live_leads')
        );
    end loop;
end
$$;

-- a stream worker of this release, started before this file ran, may have recorded its progress under the new name
delete from ops.feed where feed = 'live_leads';
-- ops.load refers to ops.feed, so both change in one statement
with feeds as (update ops.feed set feed = 'live_leads' where feed = 'lead')
update ops.load set feed = 'live_leads' where feed = 'lead';
update ops.check_result set feed = 'live_leads' where feed = 'lead';
update ops.quarantine set feed = 'live_leads' where feed = 'lead';
update ops.truncation set feed = 'live_leads' where feed = 'lead';
update ops.reconciliation set feed = 'live_leads' where feed = 'lead';
update ops.reread set feed = 'live_leads' where feed = 'lead';
update ops.suppression set feed = 'live_leads' where feed = 'lead';
update ops.manual_action set feed = 'live_leads' where feed = 'lead';
update ops.touched set core_table = 'live_leads' where core_table = 'lead';
update ops.staleness set name = 'live_leads' where name = 'lead' and not is_mart;

-- a new warehouse creates realtime.sales_funnel with the old name; its line drops this view again
create view realtime.lead as
select lead_id, campaign_id, merged_into_id, qualified_at, converted_at, deleted_at, is_deleted from realtime.live_leads;
