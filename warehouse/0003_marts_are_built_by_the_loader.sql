-- the loader builds the marts; readers read them, by the grant that is there already
grant usage on schema marts to warehouse_loader;
alter default privileges in schema marts grant select, insert, update, delete on tables to warehouse_loader;
