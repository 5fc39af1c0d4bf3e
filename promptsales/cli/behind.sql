select count(*) from unnest(%s::text[]) as feed left join ops.feed f using (feed)
where f.complete_through is null or f.complete_through < %s
