-- a person asks to be forgotten: the identifiers go, the id stays
update crm.leads
set first_name = null, last_name = null, email = null, phone = null, click_id = null, landing_page_url = null,
    deleted_at = clock_timestamp()
where id = %(id)s and deleted_at is null
