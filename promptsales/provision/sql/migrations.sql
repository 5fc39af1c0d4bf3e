create schema if not exists migrations;
create table if not exists migrations.applied (
    line text not null,
    number text not null,
    file text not null,
    sha256 text not null,
    applied_at timestamptz not null default clock_timestamp(),
    primary key (line, number)
);
comment on schema migrations is 'What was applied to this database: Alembic''s version of each line, and checksums.';
comment on table migrations.applied is 'Applied migrations; a file that changed since is refused.';
