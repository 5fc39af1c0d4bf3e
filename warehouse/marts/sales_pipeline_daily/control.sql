-- the days on which deals were open, and their amounts times those days: intervals, whose lengths are added up
with built as (select %(ranges)s::datemultirange as days),
deal as (
    select opportunity_id, stage_id, closed_at, daterange((created_at at time zone %(zone)s)::date, %(as_of_day)s, '[]') as days
    from core.opportunities
    where deleted_at is null and merged_into_id is null and (created_at at time zone %(zone)s)::date <= %(as_of_day)s
), move as (
    select opportunity_id, to_stage_id as stage_id, (changed_at at time zone %(zone)s)::date as first_day,
           (lead(changed_at) over turns at time zone %(zone)s)::date as end_day, row_number() over turns as turn
    from core.opportunity_stage_history where not is_deleted
    window turns as (partition by opportunity_id order by changed_at, change_id)
), visit as (
    select opportunity_id, stage_id, daterange(first_day, end_day) as days from move
    union all
    -- before its first move a deal is where its own row says
    select d.opportunity_id, null, daterange(null, m.first_day)
    from deal d left join move m on m.opportunity_id = d.opportunity_id and m.turn = 1
), piece as (
    select v.amount, d.closed_at, coalesce(visit.stage_id, v.stage_id) as stage_id,
           d.days * visit.days * daterange((v.valid_from at time zone %(zone)s)::date,
                                           (v.valid_to at time zone %(zone)s)::date) as days
    from deal d join visit using (opportunity_id) join core.opportunities_history v using (opportunity_id)
)
select sum(upper(r) - lower(r)) as open_count, sum(piece.amount * (upper(r) - lower(r))) as open_amount
from built cross join piece left join core.pipeline_stages s using (stage_id)
cross join unnest(built.days * datemultirange(piece.days)) r
where not coalesce(s.is_closed, piece.closed_at is not null)
