select step, total from (
    select sum(clicks) as clicks, sum(leads) as leads, sum(qualified) as qualified, sum(converted) as converted, sum(won) as won
    from marts.campaign_funnel_cohort where campaign_id <> '00000000-0000-0000-0000-000000000000'
) f cross join lateral (values (1, 'leads', leads), (2, 'qualified', qualified), (3, 'opportunity', converted), (4, 'won', won)) s(place, step, total)
order by place
