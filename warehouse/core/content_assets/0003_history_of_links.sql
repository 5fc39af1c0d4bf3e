-- which prompt each version came from: when a link goes, the month of the prompt it leaves is built anew
alter table core.content_assets_history add column prompt_history_id text;
update core.content_assets_history h set prompt_history_id = a.prompt_history_id
from core.content_assets a where a.asset_id = h.asset_id and h.valid_to = 'infinity';
