-- the check value of a key that `promptsales pii rotate` has announced
select check_hmac from ops.pii_rotation where kid = %(kid)s
