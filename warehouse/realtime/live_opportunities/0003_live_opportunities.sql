-- realtime.opportunity was too easily taken for core.opportunities. The rows stay, with their versions and all that ops records of them
alter table realtime.opportunity rename to live_opportunities;
do $$
declare
    named record;
begin
    for named in
        select conname::text as old from pg_constraint
        where conrelid = 'realtime.live_opportunities'::regclass and starts_with(conname::text, 'opportunity_')
    loop
        execute format(
            'alter table realtime.live_opportunities rename constraint %I to %I', named.old, regexp_replace(named.old, '^opportunity', 'live_opportunities')
        );
    end loop;
end
$$;

-- a stream worker of this release, started before this file ran, may have recorded its progress under the new name
delete from ops.feed where feed = 'live_opportunities';
-- ops.load refers to ops.feed, so both change in one statement
with feeds as (update ops.feed set feed = 'live_opportunities' where feed = 'opportunity')
update ops.load set feed = 'live_opportunities' where feed = 'opportunity';
update ops.check_result set feed = 'live_opportunities' where feed = 'opportunity';
update ops.quarantine set feed = 'live_opportunities' where feed = 'opportunity';
update ops.truncation set feed = 'live_opportunities' where feed = 'opportunity';
update ops.reconciliation set feed = 'live_opportunities' where feed = 'opportunity';
update ops.reread set feed = 'live_opportunities' where feed = 'opportunity';
update ops.suppression set feed = 'live_opportunities' where feed = 'opportunity';
update ops.manual_action set feed = 'live_opportunities' where feed = 'opportunity';
update ops.touched set core_table = 'live_opportunities' where core_table = 'opportunity';
update ops.staleness set name = 'live_opportunities' where name = 'opportunity' and not is_mart;

-- a new warehouse creates realtime.sales_funnel with the old name; its line drops this view again
create view realtime.opportunity as
select campaign_id, source_lead_id, merged_into_id, closed_at, deleted_at, is_deleted from realtime.live_opportunities;
