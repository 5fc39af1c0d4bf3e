-- 2,000 deals that stay open for nine years, every tenth won after four: 6 million days on which a deal is open
insert into core.pipeline_stages
    (stage_id, pipeline_code, name, position, default_probability, is_closed, is_won, is_active, created_at, updated_at, _extraction, _loaded_at)
select md5(name)::uuid, 'default', name, position, probability, is_closed, is_closed, true, '2015-01-01', '2015-01-01', 1, '2015-01-01'
from (values ('new', 1, 0.1, false), ('demo', 2, 0.35, false), ('won', 3, 1, true)) s(name, position, probability, is_closed);

insert into core.opportunities (opportunity_id, owner_user_id, stage_id, stage_entered_at, amount, currency_code, probability, closed_at,
                                created_at, updated_at, _extraction, _loaded_at)
select md5('o' || n)::uuid, md5('u' || (n + 1) % 4)::uuid, md5(case when n % 10 = 0 then 'won' else 'demo' end)::uuid, at,
       case when n % 9 <> 0 then n + 0.25 end, case when n % 7 = 0 then 'EUR' else 'USD' end, case when n % 8 = 0 then 0.5 end,
       case when n % 10 = 0 then at + interval '1500 days' end, at, at, 1, '2015-01-01'
from (select n, '2015-02-01'::timestamptz + n % 200 * interval '25 hours' as at from generate_series(1, 2000) n) o;

insert into core.opportunities_history (opportunity_id, stage_id, amount, owner_user_id, valid_from, valid_to)
select md5('o' || n)::uuid, o.stage_id, case v when 1 then o.amount / 2 else o.amount end, md5('u' || (n + v - 1) % 4)::uuid,
       case v when 1 then '-infinity' else '2019-07-01 12:00+00'::timestamptz end,
       case v when 1 then '2019-07-01 12:00+00'::timestamptz else 'infinity' end
from generate_series(1, 2000) n join core.opportunities o on o.opportunity_id = md5('o' || n)::uuid, generate_series(1, 2) v;

insert into core.opportunity_stage_history
    (change_id, opportunity_id, to_stage_id, changed_at, is_deleted, src_epoch, src_lsn, src_is_snapshot, _loaded_at)
select 10 * n + step, md5('o' || n)::uuid, md5(stage)::uuid, o.created_at + days * interval '1 day', false, 1, 1, false, '2015-01-01'
from generate_series(1, 2000) n join core.opportunities o on o.opportunity_id = md5('o' || n)::uuid
cross join lateral (values (1, 'new', 0), (2, 'demo', n % 900), (3, 'won', case when n % 10 = 0 then 1500 end)) m(step, stage, days)
where days is not null;
