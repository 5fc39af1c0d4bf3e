-- whether how far a feed is complete was not known after its last load, and no reconciliation has compared it since
select exists (
    select from ops.feed f
    where f.feed = %(feed)s and f.complete_through is null and f.last_sync_timestamp is not null
      and not exists (
          select from ops.reconciliation r
          cross join lateral (
              select read_at, published_at from ops.load
              where feed = f.feed and mode = 'delta' order by extraction desc limit 1
          ) l
          -- later by the source's clock, and by ours: the source's may have been set back in between
          where r.feed = f.feed and r.compared_at > l.read_at and r.finished_at > l.published_at
      )
)
