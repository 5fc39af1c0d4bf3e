-- by whose days a mart was built: what continues it goes on in that zone, whatever the settings say by now
alter table ops.mart add column zone text not null default 'UTC';
comment on column ops.mart.zone is 'The reporting zone by whose days it was built.';
