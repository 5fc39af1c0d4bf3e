-- a small business from January to the 11th of March 2024, always the same, with what is odd planted in it
create function pg_temp.pick(seed text, below integer) returns integer language sql immutable as
    $$ select (hashtextextended(seed, 7) & 2147483647)::integer % below $$;
create function pg_temp.id(name text) returns uuid language sql immutable as $$ select md5(name)::uuid $$;

insert into core.pipeline_stages
    (stage_id, pipeline_code, name, position, default_probability, is_closed, is_won, is_active, created_at, updated_at, _extraction, _loaded_at)
select pg_temp.id(name), 'default', name, position, probability, is_closed, is_won, true, '2023-01-01', '2023-01-01', 1, '2023-01-01'
from (values ('new', 1, 0.1, false, false), ('demo', 2, 0.3, false, false), ('offer', 3, 0.6, false, false),
             ('won', 4, 1, true, true), ('lost', 5, 0, true, false)) s(name, position, probability, is_closed, is_won);

-- c1 is renamed, c2 is in euros, c3 has no budget, c4 no end, c5 ended on the leap day, c6 starts tomorrow, c7 is deleted, c8 overspends
insert into core.campaigns (campaign_id, user_id, name, budget, currency_code, status, starts_at, ends_at, created_at, updated_at,
                            deleted_at, is_deleted, src_epoch, src_lsn, src_is_snapshot, _loaded_at)
select pg_temp.id('c' || n), pg_temp.id('u' || n % 3), 'Campaign ' || n,
       case n when 3 then null when 9 then 0 when 8 then 5 else 1000 + n end, case when n % 2 = 0 then 'EUR' else 'USD' end, 'active',
       case n when 6 then '2024-03-12'::timestamptz when 10 then null else '2024-01-05'::timestamptz + n * interval '1 day' end,
       case n when 4 then null when 5 then '2024-02-29'::timestamptz when 10 then null else '2024-03-20'::timestamptz - n * interval '1 day' end,
       '2024-01-02', '2024-01-02', case when n = 7 then '2024-02-01'::timestamptz end, n = 11, 1, n, false, '2024-01-02'
from generate_series(1, 12) n;
insert into core.campaigns_history (campaign_id, name, budget, starts_at, ends_at, user_id, valid_from, valid_to)
select campaign_id, name, budget, starts_at, ends_at, user_id, '-infinity'::timestamptz, 'infinity'::timestamptz from core.campaigns where name <> 'Campaign 1'
union all
select campaign_id, 'First name', 500, starts_at, ends_at, user_id, '-infinity'::timestamptz, '2024-02-10 12:00+00'::timestamptz
from core.campaigns where name = 'Campaign 1'
union all
select campaign_id, name, budget, starts_at, ends_at, user_id, '2024-02-10 12:00+00'::timestamptz, 'infinity'::timestamptz
from core.campaigns where name = 'Campaign 1';

-- campaign c99 is measured and not known; days begin and end to the microsecond, some without impressions
insert into core.campaign_metrics (metric_id, campaign_id, metric_at, impressions, clicks, spend, conversions, updated_at,
                                   is_deleted, src_epoch, src_lsn, src_is_snapshot, _loaded_at)
select n, pg_temp.id('c' || case pg_temp.pick('c' || n, 12) when 11 then 99 else pg_temp.pick('c' || n, 12) + 1 end),
       ('2024-01-04'::date + pg_temp.pick('d' || n, 68))::timestamptz
           + (array['0', '1 hour 30 minutes', '13 hours', '23:59:59.999999'])[1 + pg_temp.pick('h' || n, 4)]::interval,
       case when pg_temp.pick('z' || n, 5) = 0 then 0 else pg_temp.pick('i' || n, 5000) end,
       case when pg_temp.pick('k' || n, 4) = 0 then 0 else pg_temp.pick('l' || n, 90) end,
       (pg_temp.pick('s' || n, 1000000) / 10000.0)::numeric(18, 4), pg_temp.pick('v' || n, 4), '2024-03-11', n % 50 = 0, 1, n, false, '2024-03-11'
from generate_series(1, 3000) n;

insert into core.ad_groups (ad_group_id, campaign_id, name, is_deleted, src_epoch, src_lsn, src_is_snapshot, _loaded_at)
select pg_temp.id('g' || n), pg_temp.id('c' || n), 'Group ' || n, false, 1, n, false, '2024-01-02' from generate_series(1, 12) n;
-- the ads of c3, c6 and c9 have no figures of their own; some are paused later, made later, deleted, or show nothing
insert into core.ads (ad_id, ad_group_id, content_id, status, created_at, deleted_at, is_deleted, src_epoch, src_lsn, src_is_snapshot, _loaded_at)
select pg_temp.id('a' || n), pg_temp.id('g' || 1 + n % 13), case when n % 10 <> 8 then 'asset' || n % 9 end, case n % 5 when 4 then 'paused' else 'active' end,
       case n % 7 when 0 then '2024-02-15 12:00+00'::timestamptz when 1 then '2024-01-02'::timestamptz end,
       case when n % 26 = 5 then '2024-02-20 00:00+00'::timestamptz end, n = 28, 1, n, false, '2024-01-02' from generate_series(1, 39) n;
insert into core.ads_history (ad_id, status, content_id, ad_group_id, valid_from, valid_to)
select ad_id, 'active', case when content_id = 'asset3' then 'asset4' else content_id end, ad_group_id,
       '-infinity'::timestamptz, '2024-02-01 00:00+00'::timestamptz
from core.ads
union all
select ad_id, status, content_id, ad_group_id, '2024-02-01 00:00+00'::timestamptz, 'infinity'::timestamptz from core.ads;
insert into core.ad_metrics (metric_id, ad_id, metric_at, impressions, clicks, spend, conversions, updated_at,
                             is_deleted, src_epoch, src_lsn, src_is_snapshot, _loaded_at)
select n, pg_temp.id(case when n % 97 = 0 then 'stranger' else 'a' || 1 + pg_temp.pick('a' || n, 31) end),
       '2024-01-04'::timestamptz + pg_temp.pick('m' || n, 97000) * interval '1 minute',
       pg_temp.pick('i' || n, 900), pg_temp.pick('l' || n, 20), (pg_temp.pick('s' || n, 90000) / 10000.0)::numeric(18, 4), pg_temp.pick('v' || n, 3),
       '2024-03-11', false, 1, n, false, '2024-03-11'
from generate_series(1, 2000) n where pg_temp.pick('a' || n, 31) % 13 not in (1, 4, 7);

insert into core.content_assets (asset_id, type, tags, model, pii_kid, status, approved_at, created_at, updated_at, prompt_history_id, _extraction, _loaded_at)
select 'asset' || n, (array['image', 'video', 'text_copy'])[1 + n % 3],
       case n % 4 when 0 then array['summer', 'blue'] when 1 then array['blue', 'blue', 'a, b'] when 2 then '{}' end,
       (array['gpt-4o', 'dall-e-3', 'nobody knows', null])[1 + n % 4], 1,
       (array['draft', 'approved', 'archived', 'archived'])[1 + n % 4],
       case when n % 4 = 1 and n % 8 <> 5 then '2024-01-10'::timestamptz + n * interval '1 day' end,
       '2024-01-03'::timestamptz + n * interval '17 hours', '2024-03-01', case when n % 5 = 0 then 'prompt' || n end, 1, '2024-03-01'
from generate_series(0, 99) n;
insert into core.content_assets_history (asset_id, status, prompt_history_id, valid_from, valid_to)
select asset_id, case when asset_id like '%7' then 'approved' when asset_id like '%2' then 'draft' else status end, prompt_history_id,
       '-infinity'::timestamptz, '2024-02-20 00:00+00'::timestamptz
from core.content_assets
union all
select asset_id, status, prompt_history_id, '2024-02-20 00:00+00'::timestamptz, 'infinity'::timestamptz from core.content_assets;
insert into core.prompts (prompt_id, user_id, tool, pii_kid, tokens_used, cost_amount, prompted_at, asset_id, _extraction, _loaded_at)
select 'prompt' || n, pg_temp.id('u' || n % 3), (array['GPT-4o', 'claude-3-opus', 'somebody'])[1 + n % 3], 1,
       case when n % 7 <> 0 then pg_temp.pick('t' || n, 4000) end, case when n % 11 <> 0 then (pg_temp.pick('c' || n, 90000) / 1e11)::numeric(24, 12) end,
       '2024-01-03'::timestamptz + n * interval '3 hours', case when n % 3 = 0 then 'asset' || n % 120 end, 1, '2024-03-01'
from generate_series(0, 539) n;

insert into core.leads (lead_id, owner_user_id, pii_kid, lead_source, campaign_id, ad_id, utm_campaign, status, qualified_at, converted_at,
                        converted_opportunity_id, merged_into_id, created_at, updated_at, deleted_at, _extraction, _loaded_at)
select pg_temp.id('l' || n), pg_temp.id('u' || n % 3), 1, (array['web', 'event', 'unknown'])[1 + n % 3],
       case when n % 5 = 0 then pg_temp.id('c' || 1 + n % 13) end, case when n % 5 = 1 then pg_temp.id('a' || 1 + n % 33) end,
       case n % 5 when 2 then ' campaign ' || 1 + n % 12 when 3 then pg_temp.id('c' || 1 + n % 12)::text when 4 then 'First NAME' end,
       'new', case when n % 3 = 0 then at + interval '1 day' end, case when n % 6 = 0 then at + interval '2 days' end,
       case when n % 12 = 0 then pg_temp.id('o' || n) end, case when n % 40 = 1 then pg_temp.id('l1') end, at, at,
       case when n % 37 = 1 then at end, 1, '2024-03-11'
from (select n, '2024-01-04'::timestamptz + n * interval '4 hours' as at from generate_series(1, 400) n) l;

-- o9 was won, reopened and lost; some are merged or deleted, some without an account, in two currencies
insert into core.opportunities (opportunity_id, owner_user_id, account_id, source_lead_id, stage_id, stage_entered_at, amount, currency_code,
                                probability, closed_at, lost_reason, merged_into_id, created_at, updated_at, deleted_at, _extraction, _loaded_at)
select pg_temp.id('o' || n), pg_temp.id('u' || n % 3), case when n % 4 <> 0 then pg_temp.id('account' || n % 25) end,
       case when n % 3 = 0 then pg_temp.id('l' || n) end, pg_temp.id((array['new', 'demo', 'offer', 'won', 'lost'])[1 + n % 5]),
       at, case when n % 9 <> 0 then 100 + n end,
       case when n % 7 = 0 then 'EUR' else 'USD' end, case when n % 8 = 0 then 0.5 end,
       case when n % 5 >= 3 then at + (n % 30) * interval '30 hours' end, case when n % 10 = 4 then 'price' end,
       case when n % 41 = 0 then pg_temp.id('o1') end, at, at, case when n % 43 = 0 then at end, 1, '2024-03-11'
from (select n, '2024-01-06'::timestamptz + n * interval '6 hours' as at from generate_series(1, 240) n) o;
insert into core.opportunities_history (opportunity_id, stage_id, amount, owner_user_id, valid_from, valid_to)
select opportunity_id, stage_id, amount / 2, owner_user_id, '-infinity'::timestamptz, created_at + interval '3 days' from core.opportunities
union all
select opportunity_id, stage_id, amount, owner_user_id, created_at + interval '3 days', 'infinity'::timestamptz from core.opportunities;
insert into core.opportunity_stage_history (change_id, opportunity_id, from_stage_id, to_stage_id, changed_at,
                                            is_deleted, src_epoch, src_lsn, src_is_snapshot, _loaded_at)
select row_number() over (order by o.created_at, step), o.opportunity_id, null::uuid, pg_temp.id(stage), at, false, 1, 1, false, '2024-03-11'::timestamptz
from core.opportunities o join core.pipeline_stages s using (stage_id)
cross join lateral (values (1, 'new', o.created_at), (2, case when s.position > 1 then 'demo' end, o.created_at + interval '20 hours'),
                           (3, case when s.position = 3 then 'offer' end, o.created_at + interval '50 hours'),
                           (4, case when s.is_closed then s.name end, greatest(o.closed_at, o.created_at + interval '60 hours'))) m(step, stage, at)
where stage is not null and o.opportunity_id <> pg_temp.id('o9') and o.amount is distinct from 110
union all
select 100000 + step, pg_temp.id('o9'), null::uuid, pg_temp.id(stage), '2024-01-20'::timestamptz + step * interval '36 hours',
       false, 1, 1, false, '2024-03-11'::timestamptz
from (values (1, 'new'), (2, 'won'), (3, 'demo'), (4, 'lost')) m(step, stage);

-- s5 begins and ends inside one month, s6 ends on a month's last day, u8 comes back, u9 drops one of two plans, prices change in 2025
insert into core.subscriptions (subscription_id, user_id, plan_type, status, starts_at, ends_at, created_at, updated_at, _extraction, _loaded_at)
select pg_temp.id('s' || n), pg_temp.id(who), plan, 'active', starts::timestamptz, ends::timestamptz, starts::timestamptz, starts::timestamptz, 1, '2024-03-11'
from (values (1, 'u1', 'basic', '2023-11-15', null), (2, 'u2', 'pro', '2023-12-31', '2024-02-29'), (3, 'u3', 'basic', '2024-01-01', '2024-02-10'),
             (4, 'u3', 'enterprise', '2024-02-10', null), (5, 'u5', 'pro', '2024-02-02', '2024-02-20'), (6, 'u6', 'basic', '2024-01-03', '2024-01-31'),
             (7, 'u8', 'pro', '2023-10-01', '2023-12-05'), (8, 'u8', 'basic', '2024-02-29', null), (9, 'u9', 'basic', '2023-12-01', null),
             (10, 'u9', 'pro', '2023-12-01', '2024-02-15'), (11, 'u10', 'basic', '2024-03-05', null)) s(n, who, plan, starts, ends);
insert into core.subscriptions_history (subscription_id, status, plan_type, valid_from, valid_to)
select subscription_id, status, case when subscription_id = pg_temp.id('s1') then 'pro' else plan_type end,
       '-infinity'::timestamptz, '2024-02-05 00:00+00'::timestamptz
from core.subscriptions
union all
select subscription_id, status, plan_type, '2024-02-05 00:00+00'::timestamptz, 'infinity'::timestamptz from core.subscriptions;
