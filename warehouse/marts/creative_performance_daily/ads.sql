-- every version of every ad, and from when until when there was such an ad; one that was deleted at an unknown time is none
select h.ad_id, h.content_id, h.ad_group_id, h.status, h.valid_from, h.valid_to,
       coalesce(a.created_at, '-infinity') as made_at,
       case when a.is_deleted then '-infinity' else coalesce(a.deleted_at, 'infinity') end as gone_at
from core.ads_history h left join core.ads a using (ad_id)
