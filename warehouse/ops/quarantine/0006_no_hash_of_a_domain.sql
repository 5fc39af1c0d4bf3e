-- core has this column no more, and a payload is compared with what a load reads
update ops.quarantine set payload = payload - 'email_domain_hmac' where payload ? 'email_domain_hmac';
