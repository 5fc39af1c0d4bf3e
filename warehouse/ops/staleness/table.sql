-- when a table counts as stale, for marts.data_freshness: provisioning writes what contracts and marts say
create table ops.staleness (
    name text not null,
    is_mart boolean not null,
    stale_after interval not null,
    primary key (name, is_mart)
);
comment on table ops.staleness is 'How old each table may be before it is stale; written by promptsales provision from contracts and marts.';
comment on column ops.staleness.name is 'The feed, streamed table or mart.';
comment on column ops.staleness.is_mart is 'Whether it is a mart.';
comment on column ops.staleness.stale_after is 'The table is stale when it is complete to a time longer ago than this.';
