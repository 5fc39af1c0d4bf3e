-- a load that brings many rows refreshes what the planner knows, for the next one looks all of them up
grant maintain on ops.quarantine to warehouse_loader;
