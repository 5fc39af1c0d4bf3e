-- only a delta of a source whose clock is its own notes it; a replayed window leaves what the last delta noted
insert into ops.source_clock (feed, read_at, noted_at)
values (%(feed)s, %(read_at)s, %(clock_at)s)
on conflict (feed) do update set read_at = excluded.read_at, noted_at = excluded.noted_at
