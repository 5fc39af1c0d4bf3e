-- the check value of a key that `promptsales pii rotate` has announced; earlier releases announced one key for all
select case when %(is_content)s then coalesce(content_check_hmac, check_hmac) else check_hmac end
from ops.pii_rotation where kid = %(kid)s
