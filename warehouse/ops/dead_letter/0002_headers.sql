-- a replayed message must carry its epoch again
alter table ops.dead_letter add column epoch integer;
comment on column ops.dead_letter.epoch is 'The epoch it was sent under, from its header; null when it had none.';
