-- rows of the stream are judged again, too; a payload has the columns that are known
comment on column ops.quarantine.last_tried_at is 'When it was last judged; of a streamed row, when it was last judged otherwise or tried in its table.';
comment on column ops.quarantine.payload is 'The row as core would hold it: hashes, no clear text. Of a streamed row also its version and commit time, without columns that the source did not send.';
