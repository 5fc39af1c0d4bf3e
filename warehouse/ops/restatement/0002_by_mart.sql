-- the newest restatements of a mart are shown beside it
create index on ops.restatement (mart, restatement_id);
