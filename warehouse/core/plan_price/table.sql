-- core.plan_price: what a plan costs a month and since when. No source knows it, so it is kept in seed.csv beside this file;
-- the prices there are examples: put your own in
create table core.plan_price (
    plan_type varchar(50) not null,
    currency_code char(3) not null,
    monthly_amount numeric(14, 2) not null check (monthly_amount >= 0),
    valid_from date not null,
    valid_to date not null,
    primary key (plan_type, valid_from),
    check (valid_from < valid_to)
);
comment on table core.plan_price is 'Monthly price of each plan over time. Example data until you put your own prices in warehouse/core/plan_price/seed.csv.';
comment on column core.plan_price.plan_type is 'The plan, as core.subscriptions names it.';
comment on column core.plan_price.currency_code is 'ISO 4217 code of the price''s currency.';
comment on column core.plan_price.monthly_amount is 'Price of a month, in currency_code.';
comment on column core.plan_price.valid_from is 'First day the price holds.';
comment on column core.plan_price.valid_to is 'Day the price ends (exclusive); infinity for the current one.';
