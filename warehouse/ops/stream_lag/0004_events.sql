-- the difference between two looks is the number of events that were applied meanwhile
alter table ops.stream_lag add column applied_events bigint;
comment on column ops.stream_lag.applied_events is 'Offsets that the topics of the connector had reached, summed; null before there was this column.';
