-- whether how far a feed is complete was not known after its last load, and no reconciliation has compared it since
select exists (
    select from ops.feed f
    where f.feed = %(feed)s and f.complete_through is null and f.last_sync_timestamp is not null
      and not exists (
          select from ops.reconciliation r
          where r.feed = f.feed
            and r.compared_at > (select max(l.read_at) from ops.load l where l.feed = f.feed and l.mode = 'delta')
      )
)
