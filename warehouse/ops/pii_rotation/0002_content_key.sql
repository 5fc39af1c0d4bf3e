alter table ops.pii_rotation add content_check_hmac bytea;
comment on column ops.pii_rotation.content_check_hmac is 'The same with the new key of prompts and answers; null when a release without one announced it.';
