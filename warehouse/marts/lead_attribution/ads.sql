-- the campaign of each ad
select a.ad_id, g.campaign_id as ad_campaign_id
from core.ads a join core.ad_groups g using (ad_group_id)
where g.campaign_id is not null
