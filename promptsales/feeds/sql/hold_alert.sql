-- told once a transaction, whichever of the system's feeds sees it first
insert into ops.hold_alert (system, held_since, held_by, feed)
values (%(system)s, %(held_since)s, %(held_by)s, %(feed)s)
on conflict do nothing
