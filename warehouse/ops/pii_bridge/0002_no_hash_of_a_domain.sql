-- no column holds these hashes any more
delete from ops.pii_bridge where column_name = 'email_domain_hmac';
