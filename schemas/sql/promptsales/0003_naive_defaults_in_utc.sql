-- naive times are read as UTC, so a default is the UTC of its instant, whatever time zone the session has
alter table promptsales.users alter column created_at set default (now() at time zone 'UTC');
