-- a window leaves the mart standing where it stood: what was touched meanwhile is still to be built
insert into ops.mart as o (mart, touched_through, as_of_day, zone, definition, complete_through, is_empty)
select %(mart)s, %(touched_through)s, %(as_of_day)s, %(zone)s, %(definition)s, %(complete_through)s,
       not exists (select from {mart})
where not %(is_window)s
on conflict (mart) do update
set touched_through = excluded.touched_through, as_of_day = excluded.as_of_day, zone = excluded.zone,
    definition = excluded.definition, complete_through = excluded.complete_through,
    is_empty = excluded.is_empty, built_at = clock_timestamp()
