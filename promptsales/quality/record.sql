insert into ops.check_result
    (feed, extraction, rule, expectation, on_fail, is_success, element_count, unexpected_count, error)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s)
