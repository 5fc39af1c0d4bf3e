-- what dashboards may know of the pipeline's books; runs with its owner's rights, so readers need none on ops
create view marts.data_freshness as
select
    f.feed as mart,
    f.complete_through,
    changed.last_event_at,
    last.published_at as last_loaded_at,
    case when last.feed is null then 'never loaded' when last.checks_failed > 0 then 'warned' else 'passed' end
        as last_batch_status,
    waiting.quarantined_rows,
    -- hourly feeds: four intervals (domain.md section 3)
    coalesce(f.complete_through < clock_timestamp() - interval '4 hours', true) as is_stale
from ops.feed f
left join lateral (
    select l.feed, l.published_at, l.checks_failed
    from ops.load l where l.feed = f.feed order by l.extraction desc limit 1
) last on true
cross join lateral (
    select max(l.read_at) as last_event_at from ops.load l where l.feed = f.feed and l.inserted + l.updated > 0
) changed
cross join lateral (
    select count(*) as quarantined_rows from ops.quarantine q where q.feed = f.feed and q.released_at is null
) waiting;

comment on view marts.data_freshness is 'How far each table is complete, and how its last load went; for the head of a dashboard.';
comment on column marts.data_freshness.mart is 'The mart or core table.';
comment on column marts.data_freshness.complete_through is
    'Every commit at the source before it is shown, UTC; null where that is not known.';
comment on column marts.data_freshness.last_event_at is 'When a load last read changed rows, by the source''s clock, UTC.';
comment on column marts.data_freshness.last_loaded_at is 'When a load last ended, changes or not, UTC.';
comment on column marts.data_freshness.last_batch_status is 'passed, warned (a check found something), or never loaded.';
comment on column marts.data_freshness.quarantined_rows is 'Rows held back because a check refused them.';
comment on column marts.data_freshness.is_stale is 'Whether complete_through is older than four hours, or unknown.';
