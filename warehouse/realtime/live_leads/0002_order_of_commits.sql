-- versions are in the order of commits; those from before keep their order, and any later event is newer
alter table realtime.lead add column src_commit bigint not null default 0;
update realtime.lead set src_commit = src_lsn;
