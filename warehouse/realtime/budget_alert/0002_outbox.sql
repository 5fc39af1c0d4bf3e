-- the alert is its own outbox: written with what it is about, sent afterwards
alter table realtime.budget_alert add column sent_at timestamptz;
comment on column realtime.budget_alert.sent_at is 'When the brokers had its event on promptads.alerts.v1, UTC; null while it waits.';
create index budget_alert_waiting on realtime.budget_alert (alerted_at) where sent_at is null;
