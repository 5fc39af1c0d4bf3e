-- what the hourly delta needs of a table: when a row last changed (by the database's clock only) and whether it is gone
alter table promptsales.users
    add column updated_at timestamptz not null default now(),
    add column deleted_at timestamptz,
    add constraint users_role_check check (role in ('admin', 'marketer', 'viewer'));

alter table promptsales.subscriptions
    add column created_at timestamptz not null default now(),
    add column updated_at timestamptz not null default now(),
    add column deleted_at timestamptz,
    add constraint subscriptions_plan_type_check check (plan_type in ('basic', 'pro', 'enterprise')),
    add constraint subscriptions_status_check check (status in ('active', 'cancelled'));

-- rows that were there before the column changed last when they were made, as far as anybody knows
update promptsales.users set updated_at = created_at at time zone 'UTC' where created_at is not null;

-- clock_timestamp(), not now(): a row stamped late in a long transaction must not look older than it is
create function promptsales.set_updated_at() returns trigger language plpgsql as $$
begin
    new.updated_at := greatest(
        clock_timestamp(), case when tg_op = 'UPDATE' then old.updated_at + interval '1 microsecond' end
    );
    return new;
end $$;
comment on function promptsales.set_updated_at() is 'Stamps updated_at, strictly rising per row; no application clock gets in.';

create trigger zz_touch_insert before insert on promptsales.users
    for each row execute function promptsales.set_updated_at();
create trigger zz_touch_update before update on promptsales.users
    for each row when (old.* is distinct from new.*) execute function promptsales.set_updated_at();
create trigger zz_touch_insert before insert on promptsales.subscriptions
    for each row execute function promptsales.set_updated_at();
create trigger zz_touch_update before update on promptsales.subscriptions
    for each row when (old.* is distinct from new.*) execute function promptsales.set_updated_at();

create index users_cursor on promptsales.users (updated_at, id);
create index subscriptions_cursor on promptsales.subscriptions (updated_at, id);

comment on schema promptsales is 'PromptSales core: who uses the product, and on which plan.';
comment on table promptsales.users is 'People who log in; password_hash is read by no pipeline.';
comment on table promptsales.subscriptions is 'Plans of users; the price of a plan is kept in no source (core.plan_price).';
comment on column promptsales.users.created_at is 'When the user was made; naive, read as UTC.';
comment on column promptsales.users.updated_at is 'When the row last changed, by trigger; the cursor of the hourly delta.';
comment on column promptsales.users.deleted_at is 'When the user was deleted; null while they live.';
comment on column promptsales.subscriptions.start_date is 'First instant of the plan; naive, read as UTC.';
comment on column promptsales.subscriptions.end_date is 'End of the plan (exclusive); naive, read as UTC; null while it is open.';
comment on column promptsales.subscriptions.updated_at is 'When the row last changed, by trigger; the cursor of the hourly delta.';
comment on column promptsales.subscriptions.deleted_at is 'When the subscription was deleted; null while it lives.';
