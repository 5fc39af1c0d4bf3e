with month as (
    select m::date as month, least((m + interval '1 month' - interval '1 day')::date, %(as_of_day)s::date) as now_day, m::date - 1 as before_day
    from generate_series('2010-01-01'::date, date_trunc('month', %(as_of_day)s::date), '1 month') m
), paid as (
    select s.user_id, d.day, p.currency_code, sum(p.monthly_amount) as mrr, string_agg(v.plan_type, ', ' order by v.plan_type) as plans
    from (
        select now_day as day from month
        union
        select before_day from month
    ) d
    join core.subscriptions s on (s.starts_at at time zone 'UTC')::date <= d.day
                             and (s.ends_at is null or (s.ends_at at time zone 'UTC')::date > d.day) and s.deleted_at is null
    join core.subscriptions_history v on v.subscription_id = s.subscription_id
        and v.valid_from < (d.day + 1)::timestamp at time zone 'UTC' and v.valid_to >= (d.day + 1)::timestamp at time zone 'UTC'
    join core.plan_price p on p.plan_type = v.plan_type and p.valid_from <= d.day and d.day < p.valid_to
    group by 1, 2, 3
), cell as (
    select user_id, month, currency_code, coalesce(n.plans, '') as plans, coalesce(b.mrr, 0) as opening, coalesce(n.mrr, 0) as mrr, now_day
    from (select user_id, month, currency_code, n.mrr, n.plans from paid n join month on day = now_day) n
    full join (select user_id, month, currency_code, b.mrr from paid b join month on day = before_day) b using (user_id, month, currency_code)
    join month using (month)
)
select user_id, month, currency_code, plans, opening, mrr, mrr - opening,
       case when opening = 0 and exists (select from paid e where e.user_id = cell.user_id and e.mrr > 0 and e.day < cell.month
                                         and e.day = (date_trunc('month', e.day) + interval '1 month' - interval '1 day')::date) then 'reactivation'
            when opening = 0 then 'new' when mrr = 0 then 'churn' when mrr > opening then 'expansion'
            when mrr < opening then 'contraction' else 'unchanged' end,
       (month + interval '1 month' - interval '1 day')::date > %(as_of_day)s::date
from cell where mrr > 0 or opening > 0
