-- the next load that begins reads the row (promptsales/load/due.sql); asked twice before it, it is asked once
insert into ops.reread (feed, extraction, key, reason)
select feed, extraction, key, reason from (values (%s, %s::bigint, %s, %s)) asked (feed, extraction, key, reason)
-- of a person who was erased since the feed was compared, nothing is asked
where not exists (select from ops.suppression x where (x.feed, x.key) = (asked.feed, asked.key))
on conflict do nothing
