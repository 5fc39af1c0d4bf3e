-- versions are in the order of commits; those from before keep their order, and any later event is newer
alter table realtime.opportunity add column src_commit bigint not null default 0;
update realtime.opportunity set src_commit = src_lsn;
