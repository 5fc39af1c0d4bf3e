-- as the streamed tables: versions are in the order of commits
alter table ops.truncation add column src_commit bigint not null default 0;
update ops.truncation set src_commit = src_lsn;
comment on column ops.truncation.src_commit is 'Position in the source''s log of the commit before.';
