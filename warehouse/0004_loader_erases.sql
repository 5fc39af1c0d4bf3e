-- a load that meets an erased person removes them, and lets the planner forget its samples of their values
alter default privileges in schema ops, core, realtime, marts grant maintain on tables to warehouse_loader;
grant maintain on all tables in schema ops, core, realtime, marts to warehouse_loader;
