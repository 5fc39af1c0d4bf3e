select closed_at, created_at, owner_user_id, stage_id, currency_code, amount
from core.opportunities
where deleted_at is null and merged_into_id is null and closed_at is not null
