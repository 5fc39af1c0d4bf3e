-- the ad platform corrects its latest figure
update promptads.campaign_metrics
set conversions = conversions + 1
where id = (select id from promptads.campaign_metrics order by id desc limit 1)
