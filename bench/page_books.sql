-- the books of a year: loads, builds and checks every three hours, a look at the stream each quarter of an hour
insert into ops.feed (feed, complete_through) select unnest(%(names)s::text[]), now() - interval '20 minutes' on conflict do nothing;
insert into ops.check_result (feed, extraction, rule, expectation, on_fail, is_success, element_count, unexpected_count, checked_at)
select name, h, 'rule ' || r, 'x', 'warn', h %% 50 > 0, 1000, case when h %% 50 > 0 then 0 else 3 end, now() - (8760 - h) * interval '1 hour'
from unnest(%(names)s::text[]) name, generate_series(1, 8760, 3) h, generate_series(1, 12) r;
insert into ops.load (feed, extraction, mode, read_at, extracted, inserted, updated, unchanged, quarantined, suppressed,
                      checks_passed, checks_failed, triggered_by, started_at, published_at)
select name, h, 'delta', now(), h %% 300 + h %% 100, h %% 300, h %% 100, 0, 0, 0, 12, 0, 'airflow:promptcrm_hourly/scheduled__1',
       now() - (8760 - h) * interval '1 hour' - interval '9 seconds', now() - (8760 - h) * interval '1 hour'
from unnest(%(names)s::text[]) name, generate_series(1, 8760, 3) h;
insert into ops.mart_build (mart, is_full, ranges, staged, inserted, updated, deleted, restated, checks_passed, checks_failed,
                            triggered_by, started_at, published_at)
select name, false, '{}', 500, h %% 50, h %% 7, 0, 0, 9, 0, 'airflow:warehouse_marts/scheduled__1',
       now() - h * interval '1 hour' - interval '40 seconds', now() - h * interval '1 hour'
from unnest(%(marts)s::text[]) name, generate_series(1, 8760, 3) h;
insert into ops.restatement (mart, grain, old_values, new_values, restated_at)
select name, '{"date_day": "2026-11-01"}', '{"spend": 10.5}', '{"spend": 11}', now() - n * interval '1 hour'
from unnest(%(marts)s::text[]) name, generate_series(1, 2000) n;
insert into ops.stream_lag (connector, noted_at, bus_events, slot_status, slot_bytes, applied_events, applied_at, source_at)
select c, now() - n * interval '15 minutes', n %% 7, 'reserved', 4096, (40000 - n) * 900, now() - n * interval '15 minutes',
       now() - n * interval '15 minutes' - interval '80 ms'
from unnest('{promptads,promptcrm}'::text[]) c, generate_series(1, 35000) n;
insert into ops.quarantine (feed, key, extraction, rules, suite_checksum, payload, is_core_stale, first_seen_at)
select 'leads', gen_random_uuid()::text, 1, '{created_after_updated}', 'x',
       jsonb_build_object('status', 'new', 'created_at', now() + interval '1 day', 'updated_at', now(), 'lead_score', n), false, now() - n * interval '1 minute'
from generate_series(1, 20000) n;
insert into ops.manual_action (action, feed, target, acted_by, reason)
select 'release', 'leads', n::text, 'airflow:editor', 'the customer confirmed the date' from generate_series(1, 1000) n;
analyze ops.check_result, ops.load, ops.mart_build, ops.restatement, ops.stream_lag, ops.quarantine
