-- campaigns as they stand now; marts hold the names of the time, so that a rename rebuilds nothing
create view marts.campaign as
select campaign_id, name as campaign_name, user_id, objective, status, currency_code, budget, starts_at, ends_at,
       is_deleted or deleted_at is not null as is_deleted
from core.campaigns;
