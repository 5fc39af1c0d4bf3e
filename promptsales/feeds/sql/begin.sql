-- a new extraction of the feed: its number is the version of its rows, and fences older runs off
insert into ops.feed as f (feed, extraction, fence)
values (%(feed)s, 1, 1)
on conflict (feed) do update
set extraction = f.extraction + 1, fence = f.extraction + 1, updated_at = clock_timestamp()
returning extraction, last_sync_timestamp, complete_through, pii_kid, pii_check,
    resume_token::text, kafka_offsets::text, updated_at as started_at
