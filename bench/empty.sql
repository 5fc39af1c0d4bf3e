-- the warehouse as before the first load
truncate core.leads, core.leads_history, ops.feed, ops.load, ops.touched, ops.quarantine, ops.check_result, floor.leads
