-- the currency of each ad group: its campaign's
select g.ad_group_id, c.currency_code from core.ad_groups g join core.campaigns c using (campaign_id)
