-- one row each time a build takes the lock of a mart: PostgreSQL does not say since when a lock is held; append-only
create table ops.mart_lock (
    mart text not null,
    pid integer not null,
    taken_by text not null,
    taken_at timestamptz not null default clock_timestamp()
);
create index on ops.mart_lock (mart, taken_at);
comment on table ops.mart_lock is 'One row each time a build takes the lock of a mart; append-only. pg_locks says whether the session still holds it.';
comment on column ops.mart_lock.mart is 'The mart.';
comment on column ops.mart_lock.pid is 'The session that took the lock.';
comment on column ops.mart_lock.taken_by is 'The Airflow run or the command that builds.';
comment on column ops.mart_lock.taken_at is 'When it took the lock.';
