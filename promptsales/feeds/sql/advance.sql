-- the watermark moves in the transaction that publishes what was read up to it; a standby does not say since when it holds
update ops.feed
set last_sync_timestamp = %(last_sync_timestamp)s, complete_through = %(complete_through)s, held_by = %(held_by)s,
    held_since = case
        when %(held_by)s::text is null then null
        when %(held_since)s::timestamptz is not null then %(held_since)s
        when held_by = %(held_by)s then held_since
        else %(read_at)s
    end,
    resume_token = %(resume_token)s::jsonb, kafka_offsets = %(kafka_offsets)s::jsonb,
    pii_kid = %(pii_kid)s, pii_check = decode(%(pii_check)s, 'hex'), updated_at = clock_timestamp()
where feed = %(feed)s
