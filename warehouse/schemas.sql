-- the warehouse's schemas, who reads them, and what whoever loads them may do; new tables inherit it
create schema staging;
create schema core;
create schema realtime;
create schema marts;
create schema ops;
comment on schema staging is 'One table a feed, emptied by each load: rows on their way in, before they are checked.';
comment on schema core is 'Current state of every entity, keyed by its source''s own id, with history beside it.';
comment on schema realtime is 'Minute aggregates and the live funnel; never summed with marts.';
comment on schema marts is 'Wide tables named by their grain: the only thing dashboards use.';
comment on schema ops is 'The pipeline''s own books: watermarks, loads, checks, quarantine.';

-- whoever loads creates nothing; ops is append-only unless a table says otherwise
grant usage on schema staging, core, realtime, ops to warehouse_loader;
alter default privileges in schema staging grant select, insert, update, delete, truncate on tables to warehouse_loader;
alter default privileges in schema core, realtime grant select, insert, update, delete on tables to warehouse_loader;
alter default privileges in schema ops grant select, insert on tables to warehouse_loader;

-- of realtime only views are for readers: provisioning grants those, as default privileges cannot tell a view from a table
grant usage on schema marts, realtime to bi_reader;
alter default privileges in schema marts grant select on tables to bi_reader;
