-- a user leaves
update promptsales.subscriptions
set status = 'cancelled', end_date = clock_timestamp() at time zone 'UTC'
where id = (
    select id from promptsales.subscriptions
    where status = 'active' and start_date < clock_timestamp() at time zone 'UTC'
    order by updated_at desc, id
    limit 1
)
