with deal as (
    select o.*, d.date_day as day, (d.date_day + 1)::timestamp at time zone 'UTC' as ending
    from core.opportunities o join core.calendar d
      on (d.date_day + 1)::timestamp at time zone 'UTC' > o.created_at and d.date_day <= %(as_of_day)s::date
    where o.deleted_at is null and o.merged_into_id is null
), then_ as (
    select deal.day, deal.currency_code, deal.closed_at, deal.probability, deal.created_at, v.amount, v.owner_user_id,
           coalesce((select m.to_stage_id from core.opportunity_stage_history m
                     where m.opportunity_id = deal.opportunity_id and not m.is_deleted and m.changed_at < deal.ending
                     order by m.changed_at desc, m.change_id desc limit 1), v.stage_id) as stage_id
    from deal left join core.opportunities_history v
      on v.opportunity_id = deal.opportunity_id and v.valid_from < deal.ending and v.valid_to >= deal.ending
)
select t.day, t.stage_id, t.owner_user_id, t.currency_code, coalesce(s.pipeline_code, 'Unknown'), coalesce(s.name, 'Unknown'), s.position,
       count(*), coalesce(sum(t.amount), 0), round(coalesce(sum(t.amount * coalesce(t.probability, s.default_probability)), 0), 4),
       round(avg(t.day - (t.created_at at time zone 'UTC')::date), 6)
from then_ t left join core.pipeline_stages s using (stage_id)
where not coalesce(s.is_closed, t.closed_at is not null)
group by 1, 2, 3, 4, 5, 6, 7
