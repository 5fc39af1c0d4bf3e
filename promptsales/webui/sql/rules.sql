-- the rules of a table: the last result of each, since when it fails, and its last results, oldest first
with recursive rules as (
    select min(r.rule) as rule from ops.check_result r where r.feed = %(name)s
    union all
    select (select min(r.rule) from ops.check_result r where r.feed = %(name)s and r.rule > x.rule) from rules x where x.rule is not null
), results as (
    select x.rule, h.checked_at, h.history
    from rules x
    cross join lateral (
        select max(i.checked_at) as checked_at,
               jsonb_agg(jsonb_build_object('ok', i.is_success, 'at', i.checked_at, 'bad', i.unexpected_count, 'of', i.element_count,
                                            'on_fail', i.on_fail, 'error', i.error) order by i.check_result_id) as history
        from (
            select r.* from ops.check_result r
            where r.feed = %(name)s and r.rule = x.rule order by r.check_result_id desc limit 24
        ) i
    ) h
    where x.rule is not null
)
select
    r.rule, r.checked_at, r.history,
    case when not (r.history -> -1 ->> 'ok')::boolean then (
        select min(b.checked_at) from ops.check_result b
        where b.feed = %(name)s and b.rule = r.rule and b.check_result_id > coalesce((
            select g.check_result_id from ops.check_result g
            where g.feed = %(name)s and g.rule = r.rule and g.is_success order by g.check_result_id desc limit 1
        ), 0)
    ) end as failed_since
from results r
where r.checked_at > (select max(n.checked_at) from results n) - interval '1 day'
order by (r.history -> -1 ->> 'ok')::boolean, r.rule
