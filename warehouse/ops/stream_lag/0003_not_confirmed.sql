-- an open transaction makes the source keep more than that
comment on column ops.stream_lag.slot_bytes is 'Log that the slot had not confirmed, in bytes.';
