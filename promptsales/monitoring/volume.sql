-- rows that each feed brought on a day, beside the same weekday of the twelve weeks before (domain.md section 2.5).
-- First loads say nothing about a day; days without any load are no points
with days as (
    select feed, (read_at at time zone 'UTC')::date as day, sum(inserted + updated) as rows
    from ops.load
    where feed = any(%(feeds)s) and mode = 'delta' and window_start is not null
      and read_at >= (%(day)s::date - 84)::timestamp at time zone 'UTC'
      and read_at < (%(day)s::date + 1)::timestamp at time zone 'UTC'
    group by 1, 2
), points as (
    select feed, rows from days where day < %(day)s and (%(day)s - day) %% 7 = 0
), medians as (
    select feed, count(*) as points, min(rows) as least, percentile_cont(0.5) within group (order by points.rows) as median
    from points group by feed
), spreads as (
    select feed, percentile_cont(0.5) within group (order by abs(rows - median)) as mad
    from points join medians using (feed) group by feed
), judged as (
    select f.feed, coalesce(d.rows, 0)::bigint as rows, coalesce(m.points, 0) as points, m.least, m.median, s.mad
    from unnest(%(feeds)s::text[]) as f(feed)
    left join days d on d.feed = f.feed and d.day = %(day)s
    left join medians m on m.feed = f.feed
    left join spreads s on s.feed = f.feed
)
select feed, rows, points,
       -- the median's spread tells what is usual; where every day was the same, half as much or twice is not
       points >= %(least_points)s and case
           when mad > 0 then abs(rows - median) / (1.4826 * mad) > 3.5
           else abs(rows - median) > 0.5 * median
       end as is_unusual,
       points >= %(least_points)s and least > 0 and rows = 0 as is_empty
from judged
order by feed
