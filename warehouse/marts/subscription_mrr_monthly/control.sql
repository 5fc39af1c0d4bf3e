-- what subscribers pay at the end of each month, and how much more than at the end of the month before
with built as (select %(ranges)s::datemultirange as days),
first as (select min((starts_at at time zone %(zone)s)::date) as day from core.subscriptions where isfinite(starts_at)),
month as (
    select m::date as first_day, least((m + interval '1 month')::date - 1, %(as_of_day)s) as last_day
    from built cross join first
    cross join generate_series(date_trunc('month', greatest(first.day, lower(built.days))),
                               least(upper(built.days) - 1, %(as_of_day)s), interval '1 month') m
    where m::date <@ built.days
), paid as (
    select x.day, sum(p.monthly_amount) as mrr
    from (
        select last_day from month
        union
        select first_day - 1 from month
    ) x(day)
    join core.subscriptions s on s.deleted_at is null and (s.starts_at at time zone %(zone)s)::date <= x.day
                             and coalesce((s.ends_at at time zone %(zone)s)::date > x.day, true)
    join core.subscriptions_history v on v.subscription_id = s.subscription_id
                                     and (v.valid_from at time zone %(zone)s)::date <= x.day
                                     and (v.valid_to at time zone %(zone)s)::date > x.day
    join core.plan_price p on p.plan_type = v.plan_type and p.valid_from <= x.day and x.day < p.valid_to
    group by 1
)
select sum(n.mrr) as mrr, coalesce(sum(n.mrr), 0) - coalesce(sum(b.mrr), 0) as change
from month left join paid n on n.day = month.last_day left join paid b on b.day = month.first_day - 1
