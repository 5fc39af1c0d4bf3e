insert into ops.suppression (feed, key, person_hmac, pii_kid, row_changed_at) values (%s, %s, %s, %s, %s)
on conflict (feed, key) do nothing
