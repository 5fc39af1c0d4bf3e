-- where a feed stands, for who only looks; one that was never loaded stands at the beginning
select coalesce(extraction, 0) as extraction, last_sync_timestamp, complete_through, pii_kid, pii_check,
    resume_token::text, kafka_offsets::text, clock_timestamp() as started_at
from (values (%(feed)s::text)) as asked (name) left join ops.feed on feed = name
