-- whether an id is of an erased person is asked of every row that the stream brings
create index on ops.suppression (key);
