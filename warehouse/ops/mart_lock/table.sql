-- PostgreSQL does not say since when a lock is held
create table ops.mart_lock (
    mart text primary key,
    pid integer not null,
    taken_by text not null,
    taken_at timestamptz not null
);
grant update on ops.mart_lock to warehouse_loader;
comment on table ops.mart_lock is 'Who last took the lock of each mart. pg_locks says whether that session still holds it.';
comment on column ops.mart_lock.mart is 'The mart.';
comment on column ops.mart_lock.pid is 'The session that took the lock.';
comment on column ops.mart_lock.taken_by is 'The Airflow run or the command that builds.';
comment on column ops.mart_lock.taken_at is 'When it took the lock.';
