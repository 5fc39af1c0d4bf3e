-- somebody pauses a campaign, or lets it go on
update promptads.campaigns
set status = case status when 'active' then 'paused' else 'active' end
where id = %(id)s and status in ('active', 'paused')
