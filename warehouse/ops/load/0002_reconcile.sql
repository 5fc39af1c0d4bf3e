-- a reconciliation that soft-deletes is audited like a load, and gives its rows a version like one
alter table ops.load drop constraint load_mode_check;
alter table ops.load add constraint load_mode_check check (mode in ('delta', 'window', 'reconcile'));
comment on column ops.load.mode is 'delta: from the watermark to the frontier; window: exactly [window_start, window_end), watermark untouched; reconcile: rows that the source has no more, soft-deleted.';
