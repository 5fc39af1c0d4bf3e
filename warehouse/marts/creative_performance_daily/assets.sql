-- the assets that ads show or showed; one map of models for all of them
with shown as materialized (
    select a.asset_id, a.type, a.model from core.content_assets a
    where a.asset_id in (select content_id from core.ads_history)
), label as materialized (
    select m.model, (select k.label from core.ai_model k where m.model ~* k.match_pattern order by k.match_priority limit 1)
    from (select distinct model from shown) m
)
select s.asset_id as content_id, s.type as asset_type, l.label as model_label
from shown s left join label l on l.model = s.model
