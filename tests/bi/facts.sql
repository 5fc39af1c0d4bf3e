-- What dashboards show, recomputed from core alone, by the formulas of docs/domain.md. No statement here reads a mart.
-- Tables of this session only; its time zone is UTC, so that a time's date is its day.

-- the version of each campaign at an instant; the first version counts since ever
create function pg_temp.campaign_at(campaign uuid, instant timestamptz)
returns table (name text, budget numeric, starts_on date, ends_on date) language sql stable as $$
    select name, budget, starts_at::date, ends_at::date from core.campaigns_history
    where campaign_id = campaign and valid_from < instant and valid_to >= instant
$$;

create function pg_temp.model(code text) returns text language sql stable as $$
    select coalesce(
        (select label from core.ai_model where code ~* match_pattern order by match_priority limit 1), 'Unknown'
    )
$$;

-- "text_copy" as people read it
create function pg_temp.words(code text) returns text language sql immutable as $$
    select upper(left(code, 1)) || replace(substr(code, 2), '_', ' ')
$$;

-- campaigns by day: every day of a flight, and every other day with metrics
create temp table delivery as
with measured as (
    select campaign_id, metric_at::date as date_day, sum(impressions) as impressions, sum(clicks) as clicks,
           sum(spend) as spend, sum(conversions) as conversions
    from core.campaign_metrics where not is_deleted and metric_at < current_date group by 1, 2
), flight as (
    select campaign_id, d::date as date_day
    from core.campaigns
    cross join generate_series(starts_at::date, least(ends_at::date, current_date - 1), interval '1 day') d
    where not is_deleted and deleted_at is null
)
select campaign_id, coalesce(v.name, 'Unknown') as campaign_name, date_day, date_trunc('month', date_day)::date as month,
       coalesce(c.currency_code, 'XXX') as currency, coalesce(impressions, 0) as impressions, coalesce(clicks, 0) as clicks,
       coalesce(spend, 0) as spend, coalesce(conversions, 0) as conversions,
       case when date_day >= current_date - 3 then 'Provisional' else 'Final' end as status
from measured full join flight using (campaign_id, date_day)
left join core.campaigns c using (campaign_id)
left join lateral pg_temp.campaign_at(campaign_id, date_day + 1) v on true;

-- deals that count: neither deleted nor merged
create temp table deal as
select o.*, coalesce(s.is_won, false) as is_won, coalesce(s.is_closed, o.closed_at is not null) as is_closed  -- noqa: AM04
from core.opportunities o left join core.pipeline_stages s using (stage_id)
where o.deleted_at is null and o.merged_into_id is null;

-- leads with the campaign that they are credited to and their deal
create temp table lead as
with lead as (
    select * from core.leads where deleted_at is null and merged_into_id is null and created_at < current_date
), named as (
    select l.lead_id, min(v.campaign_id::text)::uuid as campaign_id
    from lead l join core.campaigns_history v
      on lower(btrim(v.name)) = lower(btrim(l.utm_campaign)) and v.user_id = l.owner_user_id
     and v.valid_from <= l.created_at and l.created_at < v.valid_to
    group by 1
), first_won as (
    select distinct on (account_id) opportunity_id from deal
    where is_won and account_id is not null order by account_id, closed_at, opportunity_id
)
select l.lead_id, l.created_at::date as date_day, date_trunc('month', l.created_at)::date as month, l.lead_source,
       coalesce(l.campaign_id, g.campaign_id, u.campaign_id, named.campaign_id) as campaign_id,
       case when l.campaign_id is not null then 'Campaign' when g.campaign_id is not null then 'Ad'
            when coalesce(u.campaign_id, named.campaign_id) is not null then 'UTM' else 'Not credited' end as credited_by,
       coalesce(l.qualified_at, l.converted_at) is not null or d.opportunity_id is not null as is_qualified,
       l.converted_at is not null or d.opportunity_id is not null as is_converted,
       coalesce(d.is_won, false) as is_won, d.currency_code as won_currency,
       case when d.is_won then d.amount end as won_amount,
       coalesce(d.is_won and (d.account_id is null or d.opportunity_id in (select opportunity_id from first_won)), false)
           as is_new_customer
from lead l
left join core.ads a using (ad_id) left join core.ad_groups g on g.ad_group_id = a.ad_group_id
left join core.campaigns u on u.campaign_id::text = lower(btrim(l.utm_campaign))
left join named using (lead_id)
left join lateral (
    select * from deal where source_lead_id = l.lead_id or opportunity_id = l.converted_opportunity_id
    order by is_won desc, created_at, opportunity_id limit 1
) d on true;

-- prompts with each asset they were sent for, linked from either side
create temp table linked as
select p.prompt_id, p.asset_id, p.cost_amount, p.prompted_at from core.prompts p
where p.deleted_at is null and p.asset_id is not null
union
select p.prompt_id, a.asset_id, p.cost_amount, p.prompted_at
from core.content_assets a join core.prompts p on p.prompt_id = a.prompt_history_id where p.deleted_at is null;

-- leads of a month by campaign, beside what the campaign spent in that month
create temp table cohort as
with outcome as (
    select l.campaign_id, month, count(*) as leads, count(*) filter (where is_qualified) as qualified,
           count(*) filter (where is_converted) as converted, count(*) filter (where is_won) as won,
           count(*) filter (where is_new_customer) as new_customers,
           sum(won_amount) filter (where won_currency = c.currency_code) as won_amount
    from lead l left join core.campaigns c using (campaign_id) group by 1, 2
), spent as (
    select campaign_id, month, sum(impressions) as impressions, sum(clicks) as clicks, sum(spend) as spend
    from delivery group by 1, 2
), shown as (
    select asset_id, campaign_id, count(*) over (partition by asset_id) as campaigns
    from (
        select distinct v.content_id as asset_id, g.campaign_id
        from core.ads_history v join core.ad_groups g using (ad_group_id)
    ) x
), ai as (
    select campaign_id, date_trunc('month', prompted_at)::date as month, sum(cost_amount / campaigns) as ai_cost
    from linked join shown using (asset_id) where prompted_at < current_date group by 1, 2
), joined as (
    select coalesce(o.campaign_id, s.campaign_id, ai.campaign_id) as campaign_id, coalesce(o.month, s.month, ai.month) as month,
           impressions, clicks, leads, qualified, converted, won, new_customers, won_amount, spend, ai_cost
    from outcome o full join spent s on s.campaign_id = o.campaign_id and s.month = o.month
    full join ai on ai.campaign_id = coalesce(o.campaign_id, s.campaign_id) and ai.month = coalesce(o.month, s.month)
)
select j.*, coalesce(c.currency_code, 'XXX') as currency,
       coalesce(case when j.campaign_id is null then 'Unattributed' else v.name end, 'Unknown') as campaign_name,
       least(current_date - 1 - month, 365) as age
from joined j left join core.campaigns c using (campaign_id)
left join lateral pg_temp.campaign_at(j.campaign_id, month + interval '1 month') v on true;

-- budgets at the end of each day since a campaign was created, until the day after its flight or its last day with data
create temp table pacing as
with paced as (
    select c.campaign_id, c.currency_code, d::date as date_day
    from core.campaigns c
    left join (
        select campaign_id, min(metric_at)::date as first, max(metric_at)::date as last from core.campaign_metrics
        where not is_deleted and metric_at < current_date group by 1
    ) m using (campaign_id)
    cross join generate_series(
        least(c.created_at::date, c.starts_at::date, m.first),
        least(case when c.ends_at is not null then greatest(c.ends_at::date + 1, m.last) end, current_date - 1), interval '1 day'
    ) d
    where not c.is_deleted and c.deleted_at is null
), planned as (
    select p.*, v.*, v.ends_on - v.starts_on + 1 as flight,
           least(greatest(p.date_day - v.starts_on + 1, 0), v.ends_on - v.starts_on + 1) as elapsed,
           (select coalesce(sum(spend), 0) from core.campaign_metrics m
            where m.campaign_id = p.campaign_id and not is_deleted and metric_at < p.date_day + 1) as spent
    from paced p cross join lateral pg_temp.campaign_at(p.campaign_id, p.date_day + 1) v
), compared as (
    select *, nullif(budget * elapsed / flight, 0) as expected,
           100 * spent / nullif(budget * elapsed::numeric / flight, 0) as pacing_pct,
           spent / nullif(case when flight is not null then elapsed end, 0) * flight as projected,
           (budget - spent) / nullif(flight - elapsed, 0) as required
    from planned
)
select campaign_id, name as campaign_name, currency_code as currency, date_day, ends_on, budget, spent, expected, pacing_pct,
       projected, required, case when date_day >= current_date - 3 then 'Provisional' else 'Final' end as status_of_day,
       case when coalesce(budget, 0) = 0 then 'No budget' when spent > budget then 'Overspent'
            when starts_on is null or date_day < starts_on then 'Not started' when date_day > ends_on then 'Ended'
            when ends_on is null then 'No end date' when pacing_pct < 90 then 'Under' when pacing_pct > 110 then 'Over'
            else 'On track' end as status
from compared;

-- open deals at the end of each of the last days, in the stage that their log says
create temp table pipeline as
select d::date as date_day, o.opportunity_id, o.currency_code as currency, coalesce(s.pipeline_code, 'Unknown') as pipeline_code,
       s.position || ' ' || s.name as stage, v.amount, v.amount * coalesce(o.probability, s.default_probability) as weighted,
       d::date - o.created_at::date as age
from generate_series(current_date - 100, current_date - 1, interval '1 day') d
join deal o on o.created_at < d + interval '1 day'
join core.opportunities_history v
  on v.opportunity_id = o.opportunity_id and v.valid_from < d + interval '1 day' and v.valid_to >= d + interval '1 day'
left join lateral (
    select to_stage_id from core.opportunity_stage_history m
    where m.opportunity_id = o.opportunity_id and not m.is_deleted and m.changed_at < d + interval '1 day'
    order by m.changed_at desc, m.change_id desc limit 1
) move on true
left join core.pipeline_stages s on s.stage_id = coalesce(move.to_stage_id, v.stage_id)
where not coalesce(s.is_closed, o.closed_at is not null);

-- visits of open stages that have ended
create temp table visit as
select date_trunc('month', left_at)::date as month, s.pipeline_code, s.position || ' ' || s.name as stage,
       extract(epoch from left_at - entered_at)::numeric / 86400 as days,
       n.is_won or (not n.is_closed and n.position > s.position) as is_forward
from (
    select to_stage_id as stage_id, changed_at as entered_at, lead(changed_at) over turns as left_at,
           lead(to_stage_id) over turns as next_id
    from core.opportunity_stage_history m join deal using (opportunity_id) where not m.is_deleted
    window turns as (partition by opportunity_id order by changed_at, change_id)
) m
join core.pipeline_stages s using (stage_id) left join core.pipeline_stages n on n.stage_id = m.next_id
where left_at < current_date and not s.is_closed;

-- the figures of ads by day, with the asset that each showed at the end of the day; of campaigns without such figures on a
-- day, equal parts for the ads that were active then, whole units, the first ads getting one more
create temp table creative as
with version as (
    select v.ad_id, v.content_id, v.status, v.valid_from, v.valid_to, g.campaign_id, c.currency_code, a.created_at,
           least(a.deleted_at, case when a.is_deleted then '-infinity'::timestamptz end) as gone_at
    from core.ads_history v left join core.ad_groups g using (ad_group_id) left join core.campaigns c using (campaign_id)
    left join core.ads a using (ad_id)
), measured as (
    select m.metric_at::date as date_day, v.campaign_id, v.content_id, v.currency_code, m.impressions::numeric,
           m.clicks::numeric, m.spend, m.conversions::numeric
    from core.ad_metrics m left join version v
      on v.ad_id = m.ad_id and v.valid_from < m.metric_at::date + 1 and v.valid_to >= m.metric_at::date + 1
    where not m.is_deleted and m.metric_at < current_date
), brought as (
    select campaign_id, metric_at::date as date_day, sum(impressions) as impressions, sum(clicks) as clicks,
           10000 * sum(spend) as units, sum(conversions) as conversions
    from core.campaign_metrics where not is_deleted and metric_at < current_date group by 1, 2
), shared as (
    select b.*, v.content_id, v.currency_code, count(*) over day as n, row_number() over (day order by v.ad_id) as i
    from brought b join version v
      on v.campaign_id = b.campaign_id and v.status = 'active' and greatest(v.valid_from, v.created_at) < b.date_day + 1
     and v.valid_to >= b.date_day + 1 and coalesce(v.gone_at >= b.date_day + 1, true)
    where not exists (select from measured m where m.campaign_id = b.campaign_id and m.date_day = b.date_day)
    window day as (partition by b.campaign_id, b.date_day)
), brought_by as (
    select date_day, content_id, currency_code, impressions, clicks, spend, conversions, 'Measured by ad' as figures
    from measured
    union all
    select date_day, content_id, currency_code, div(impressions, n) + (i <= impressions % n)::int,
           div(clicks, n) + (i <= clicks % n)::int, (div(units, n) + (i <= units % n)::int) / 10000,
           div(conversions, n) + (i <= conversions % n)::int, 'Shares of campaigns'
    from shared
)
select b.*, coalesce(currency_code, 'XXX') as currency, date_trunc('month', date_day)::date as month,
       pg_temp.model(a.model) as model, pg_temp.words(coalesce(a.type, 'Unknown')) as asset_type,
       case when cardinality(a.tags) > 0 then a.tags else array['no tag'] end as tags,
       case when date_day >= current_date - 3 then 'Provisional' else 'Final' end as status
from brought_by b left join core.content_assets a on a.asset_id = b.content_id;

create temp table prompt as
select prompted_at::date as date_day, user_id, pg_temp.model(tool) as model, tokens_used as tokens, cost_amount as cost
from core.prompts where deleted_at is null and prompted_at < current_date;

-- assets by the month of their creation, and by the month of the prompt what was spent on none
create temp table produced as
with asset as (
    select a.*, coalesce((
        select array_agg(status order by valid_from) from core.content_assets_history v where v.asset_id = a.asset_id
    ), array[status]) as statuses
    from core.content_assets a where a.deleted_at is null and a.created_at < current_date
), judged as (
    select *, approved_at is not null or 'approved' = any(statuses) as is_approved from asset
)
select date_trunc('month', created_at)::date as month, pg_temp.model(model) as model, pg_temp.words(type) as asset_type,
       1 as assets, is_approved::int as approved,
       (not is_approved and status = 'archived' and statuses[1] <> 'archived')::int as rejected,
       (not is_approved and status <> 'archived')::int as drafts,
       (select sum(cost_amount) from linked where linked.asset_id = judged.asset_id) as cost
from judged
union all
select date_trunc('month', prompted_at)::date, pg_temp.model(tool), 'Unknown', 0, 0, 0, 0, null
from core.prompts p
where deleted_at is null and cost_amount is not null and prompted_at < current_date and not exists (
    select from linked join core.content_assets a using (asset_id)
    where linked.prompt_id = p.prompt_id and a.deleted_at is null
);

-- what users pay at the end of each month; of the current month, yesterday
create temp table paid as
with month as (
    select m::date as month, least((m + interval '1 month')::date, current_date) - 1 as day,
           (m + interval '1 month')::date > current_date as is_provisional
    from generate_series(
        (select date_trunc('month', min(starts_at)) from core.subscriptions), current_date - 1, interval '1 month'
    ) m
), price as (
    select month, day, is_provisional, s.user_id, p.currency_code as currency, v.plan_type, p.monthly_amount
    from month join core.subscriptions s
      on s.deleted_at is null and s.starts_at::date <= day and coalesce(s.ends_at::date > day, true)
    join core.subscriptions_history v
      on v.subscription_id = s.subscription_id and v.valid_from < day + 1 and v.valid_to >= day + 1
    join core.plan_price p on p.plan_type = v.plan_type and p.valid_from <= day and day < p.valid_to
), summed as (
    select month, user_id, currency, sum(monthly_amount) as mrr, string_agg(plan_type, ', ' order by plan_type) as plans
    from price group by 1, 2, 3
), followed as (
    select month, is_provisional, user_id, currency, coalesce(plans, '') as plans, coalesce(mrr, 0) as mrr,
           coalesce(lag(mrr) over turns, 0) as opening, coalesce(max(mrr) over (turns rows unbounded preceding exclude current row), 0) as most
    from month cross join (select distinct user_id, currency from summed) u left join summed using (month, user_id, currency)
    window turns as (partition by user_id, currency order by month)
)
select *, mrr - opening as change,
       case when opening = 0 and mrr > 0 and most = 0 then 'new' when opening = 0 and mrr > 0 then 'reactivation'
            when mrr > opening then 'expansion' when mrr = 0 and opening > 0 then 'churn' when mrr < opening then 'contraction' end
           as movement
from followed where mrr > 0 or opening > 0;

-- how each table stands, from the tables of ops
create temp view table_state as
with result as (
    select distinct on (feed, rule) feed, rule, is_success, on_fail, error, unexpected_count
    from ops.check_result c
    where checked_at > (select max(checked_at) from ops.check_result n where n.feed = c.feed) - interval '1 day'
    order by feed, rule, check_result_id desc
), failure as (
    select feed, bool_or(not is_success) as warned, bool_or(not is_success and (on_fail <> 'warn' or error is not null)) as failed,
           string_agg(rule || case when error is not null then ' (could not run)'
                                   when unexpected_count > 0 then ' (' || unexpected_count || ' rows)' else '' end,
                      ', ' order by rule) filter (where not is_success) as rules
    from result group by feed
), stand as (
    select feed.feed as table_name, feed.complete_through, last_load.published_at as last_loaded_at,
           case when last_load.checks_failed is null then 'never loaded' when last_load.checks_failed > 0 then 'warned'
                else 'passed' end as status, false as is_mart
    from ops.feed left join lateral (
        select * from ops.load where load.feed = feed.feed order by extraction desc limit 1
    ) last_load on true
    where topic is null
    union all
    select feed, complete_through, (select max(applied_at) from ops.stream_offset o where o.topic = feed.topic), null, false
    from ops.feed where topic is not null
    union all
    select m.mart, m.complete_through, b.published_at, case when b.checks_failed > 0 then 'warned' else 'passed' end, true
    from ops.mart m join lateral (
        select * from ops.mart_build b where b.mart = m.mart order by build_id desc limit 1
    ) b on true
)
select table_name, complete_through, last_loaded_at,
       coalesce(status, case when feed is null then 'not audited' when failed then 'failed' when warned then 'warned'
                             else 'passed' end) as status,
       coalesce(complete_through < now() - (
           select stale_after from ops.staleness a where a.name = table_name and a.is_mart = stand.is_mart
       ), true) as is_stale,
       coalesce(rules, '') as failed_rules,
       (select count(*) from ops.quarantine q where q.feed = table_name and released_at is null) as quarantined_rows
from stand left join failure on feed = table_name;
