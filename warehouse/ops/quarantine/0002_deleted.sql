-- a row that the source has no more leaves quarantine too
alter table ops.quarantine drop constraint quarantine_release_reason_check;
alter table ops.quarantine add constraint quarantine_release_reason_check
    check (release_reason in ('repaired', 'waived', 'suppressed', 'deleted'));
comment on column ops.quarantine.release_reason is 'repaired: the source row now passes; waived: released by hand; suppressed: the person was erased; deleted: the source has the row no more.';
