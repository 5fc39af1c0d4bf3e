-- the key of all hashes, as the two pads HMAC makes of it (RFC 2104). It lives where the clear text lives anyway, and only
-- etl_owner, a role nobody logs in with, may read it.
-- No constraint but the key and the index below: a check that fails prints the row, pads and all, to client and log.
create schema etl authorization etl_owner;
comment on schema etl is 'What the pipeline may see of this database: hashing views and the frontier.';

create table etl.pii_pad (
    kid integer primary key,
    is_active boolean,
    inner_pad bytea,
    outer_pad bytea
);
alter table etl.pii_pad owner to etl_owner;
create unique index pii_pad_active on etl.pii_pad (is_active) where is_active;
comment on table etl.pii_pad is 'Inner and outer pad of each hashing key; loaded by COPY from the key file, never by statement text.';
comment on column etl.pii_pad.kid is 'Number of the key, as in the name of its file.';
comment on column etl.pii_pad.is_active is 'Whether hashes are made with it; at most one is.';

-- tells a missing and a changed key from the right one without showing it; no row when no key is active
create view etl.pii_key with (security_barrier) as
select
    kid,
    sha256(outer_pad || sha256(inner_pad || 'check\000promptsales'::bytea)) as check_hmac
from etl.pii_pad
where is_active;
alter view etl.pii_key owner to etl_owner;
comment on view etl.pii_key is 'The active key''s number and its HMAC of a fixed text.';
comment on column etl.pii_key.check_hmac is 'HMAC-SHA256(key, ''check'' || 0x00 || ''promptsales'').';

grant usage on schema etl to etl_reader;
grant select on etl.pii_key to etl_reader;
