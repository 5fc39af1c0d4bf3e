-- the campaign of each ad group, and its currency
select g.ad_group_id, g.campaign_id, c.currency_code from core.ad_groups g left join core.campaigns c using (campaign_id)
