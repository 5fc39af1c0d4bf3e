-- the watermark moves in the transaction that publishes what was read up to it
update ops.feed
set last_sync_timestamp = %(last_sync_timestamp)s, complete_through = %(complete_through)s, held_by = %(held_by)s,
    resume_token = %(resume_token)s::jsonb, kafka_offsets = %(kafka_offsets)s::jsonb,
    pii_kid = %(pii_kid)s, pii_check = decode(%(pii_check)s, 'hex'), updated_at = clock_timestamp()
where feed = %(feed)s
