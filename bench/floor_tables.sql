-- what the floor loads into: the columns of core.leads with clear text where core has hashes, and a primary key
create schema floor;
create table floor.leads (
    id uuid primary key, owner_user_id uuid, email text, phone text, click_id text, company_name varchar(255),
    job_title varchar(150), country_code char(2), score smallint, lead_source varchar(40), campaign_id uuid, ad_id uuid,
    utm_source varchar(255), utm_medium varchar(255), utm_campaign varchar(255), utm_content varchar(255),
    utm_term varchar(255), status varchar(20), qualified_at timestamptz, disqualified_at timestamptz,
    disqualified_reason varchar(100), converted_at timestamptz, converted_account_id uuid, converted_contact_id uuid,
    converted_opportunity_id uuid, merged_into_id uuid, created_at timestamptz, updated_at timestamptz,
    deleted_at timestamptz
);
create unlogged table floor.staged (like floor.leads);
