-- the domain of an address is known from core.accounts, so its hash hid nothing (docs/decisions/0012)
alter table core.contacts drop column email_domain_hmac;
