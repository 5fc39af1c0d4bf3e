-- the last result of a rule is looked up for each failure that marts wait for, however many results there are by then
create index on ops.check_result (feed, rule, check_result_id);
create index on ops.check_result (feed, check_result_id) where not is_success and on_fail <> 'warn';
