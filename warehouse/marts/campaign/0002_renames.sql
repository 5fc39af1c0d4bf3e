-- campaigns as they stand now, unchanged but for this comment: marts hold the names of their periods, so that a rename
-- changes only rows whose period ends after it (mart.yml says which)
create or replace view marts.campaign as
select campaign_id, name as campaign_name, user_id, objective, status, currency_code, budget, starts_at, ends_at,
       is_deleted or deleted_at is not null as is_deleted
from core.campaigns;
