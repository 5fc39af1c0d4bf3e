-- a load tells the planner what it staged
alter default privileges in schema staging grant maintain on tables to warehouse_loader;
grant maintain on all tables in schema staging to warehouse_loader;
