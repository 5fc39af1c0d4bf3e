-- a campaign, an ad and a subscription of nine years, changed again and again
insert into core.campaigns (campaign_id, user_id, name, budget, currency_code, status, starts_at, ends_at, created_at, updated_at,
                            is_deleted, src_epoch, src_lsn, src_is_snapshot, _loaded_at)
select md5('c')::uuid, md5('u')::uuid, 'Long', 4000, 'USD', 'active', '2015-01-05', '2026-01-05', '2015-01-01', '2015-01-01',
       false, 1, 1, false, '2015-01-01';
-- another budget each day
insert into core.campaigns_history (campaign_id, name, budget, starts_at, ends_at, user_id, valid_from, valid_to)
select c.campaign_id, c.name, n + 1, c.starts_at, c.ends_at, c.user_id,
       case when n = 0 then '-infinity' else '2015-01-01 12:00+00'::timestamptz + n * interval '1 day' end,
       case when n = 3400 then 'infinity' else '2015-01-02 12:00+00'::timestamptz + n * interval '1 day' end
from core.campaigns c, generate_series(0, 3400) n;
insert into core.campaign_metrics (metric_id, campaign_id, metric_at, impressions, clicks, spend, conversions, updated_at,
                                   is_deleted, src_epoch, src_lsn, src_is_snapshot, _loaded_at)
select n, md5('c')::uuid, '2015-01-05 10:00+00'::timestamptz + n * interval '1 day', 100 + n, 3, 1.25, 1, '2015-01-01', false, 1, n, false, '2015-01-01'
from generate_series(1, 3300) n;
insert into core.ad_groups (ad_group_id, campaign_id, name, is_deleted, src_epoch, src_lsn, src_is_snapshot, _loaded_at)
select md5('g')::uuid, md5('c')::uuid, 'g', false, 1, 1, false, '2015-01-01';
insert into core.ads (ad_id, ad_group_id, content_id, status, created_at, is_deleted, src_epoch, src_lsn, src_is_snapshot, _loaded_at)
select md5('a')::uuid, md5('g')::uuid, 'asset', 'active', '2015-01-02', false, 1, 1, false, '2015-01-01';
-- on and off each day
insert into core.ads_history (ad_id, ad_group_id, content_id, status, valid_from, valid_to)
select a.ad_id, a.ad_group_id, a.content_id, case when n % 2 = 0 then 'active' else 'paused' end,
       case when n = 0 then '-infinity' else '2015-01-01 12:00+00'::timestamptz + n * interval '1 day' end,
       case when n = 3400 then 'infinity' else '2015-01-02 12:00+00'::timestamptz + n * interval '1 day' end
from core.ads a, generate_series(0, 3400) n;
insert into core.leads (lead_id, pii_kid, owner_user_id, lead_source, utm_campaign, status, created_at, updated_at, _extraction, _loaded_at)
select md5('l' || n)::uuid, 1, md5('u')::uuid, 'web', 'long', 'new', '2015-01-06 09:00+00'::timestamptz + n * interval '1 day',
       '2015-01-06', 1, '2015-01-06'
from generate_series(1, 3300) n;
-- five users, each with another plan each day
insert into core.subscriptions (subscription_id, user_id, plan_type, status, starts_at, created_at, updated_at, _extraction, _loaded_at)
select md5('s' || n)::uuid, md5('u' || n)::uuid, 'basic', 'active', '2015-01-15', '2015-01-15', '2015-01-15', 1, '2015-01-15'
from generate_series(1, 5) n;
insert into core.subscriptions_history (subscription_id, status, plan_type, valid_from, valid_to)
select s.subscription_id, 'active', case when n % 2 = 0 then 'basic' else 'pro' end,
       case when n = 0 then '-infinity' else '2015-01-01 12:00+00'::timestamptz + n * interval '1 day' end,
       case when n = 3400 then 'infinity' else '2015-01-02 12:00+00'::timestamptz + n * interval '1 day' end
from core.subscriptions s, generate_series(0, 3400) n;
