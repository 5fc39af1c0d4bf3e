-- standard input into staging, then one statement
truncate floor.staged;
\copy floor.staged from pstdin
insert into floor.leads as t select * from floor.staged -- noqa: AM04
on conflict (id) do update set
    owner_user_id = excluded.owner_user_id, email = excluded.email, phone = excluded.phone, click_id =
    excluded.click_id, company_name = excluded.company_name, job_title = excluded.job_title, country_code =
    excluded.country_code, score = excluded.score, lead_source = excluded.lead_source, campaign_id =
    excluded.campaign_id, ad_id = excluded.ad_id, utm_source = excluded.utm_source, utm_medium =
    excluded.utm_medium, utm_campaign = excluded.utm_campaign, utm_content = excluded.utm_content, utm_term =
    excluded.utm_term, status = excluded.status, qualified_at = excluded.qualified_at, disqualified_at =
    excluded.disqualified_at, disqualified_reason = excluded.disqualified_reason, converted_at =
    excluded.converted_at, converted_account_id = excluded.converted_account_id, converted_contact_id =
    excluded.converted_contact_id, converted_opportunity_id = excluded.converted_opportunity_id, merged_into_id =
    excluded.merged_into_id, created_at = excluded.created_at, updated_at = excluded.updated_at, deleted_at =
    excluded.deleted_at
where excluded.updated_at >= t.updated_at;
