-- since when marts may show a version, whenever its event came
alter table core.ads_history add column _loaded_at timestamptz not null default clock_timestamp();
comment on column core.ads_history._loaded_at is 'When the version was recorded.';
