-- which key made a suppressed hash, and whether the row is still the one that was erased: then a new key's hash may replace it
alter table ops.suppression add pii_kid integer, add row_changed_at timestamptz;
comment on column ops.suppression.pii_kid is 'Which key made person_hmac.';
comment on column ops.suppression.row_changed_at is 'The row''s cursor when it was erased: as long as it stands, so does the address behind person_hmac.';
