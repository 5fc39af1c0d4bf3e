-- the mart on each tenth day, counted deal by deal from how long_deals.sql makes them
with deal as (
    select n, '2015-02-01'::timestamptz + n % 200 * interval '25 hours' as at, d.day::date as day,
           (d.day + interval '1 day') at time zone 'UTC' as ending
    from generate_series(1, 2000) n, generate_series('2015-02-05'::timestamp, '2024-03-10', '10 days') d(day)
), open as (
    select n, day, (at at time zone 'UTC')::date as made_on, case when at + n % 900 * interval '1 day' < ending then 'demo' else 'new' end as stage,
           'u' || case when ending > '2019-07-01 12:00+00' then (n + 1) % 4 else n % 4 end as owner,
           case when n % 9 <> 0 then round((n + 0.25) / case when ending > '2019-07-01 12:00+00' then 1 else 2 end, 2) end as amount
    from deal where at < ending and (n % 10 <> 0 or at + interval '1500 days' >= ending)
)
select day, md5(stage)::uuid, md5(owner)::uuid, case when n % 7 = 0 then 'EUR' else 'USD' end as currency_code, 'default', stage,
       case stage when 'new' then 1 else 2 end, count(*), coalesce(sum(amount), 0),
       round(coalesce(sum(amount * case when n % 8 = 0 then 0.5 when stage = 'new' then 0.1 else 0.35 end), 0), 4), round(avg(day - made_on), 6)
from open group by day, stage, owner, 4
