-- the next load that begins reads the row (promptsales/load/due.sql); asked twice before it, it is asked once
insert into ops.reread (feed, extraction, key, reason) values (%s, %s, %s, %s) on conflict do nothing
