-- a row may have waited for one that is gone now: the next load judges what lies in quarantine again
update ops.quarantine set last_tried_at = 'epoch' where feed = %(feed)s and released_at is null
