-- the CRM's schema, and what keeps updated_at: the database's clock only
create schema crm;
comment on schema crm is 'PromptCrm: who might buy, who did, and how it went.';

-- clock_timestamp(), not now(): a row stamped late in a long transaction must not look older than it is
create function crm.set_updated_at() returns trigger language plpgsql as $$
begin
    new.updated_at := greatest(
        clock_timestamp(), case when tg_op = 'UPDATE' then old.updated_at + interval '1 microsecond' end
    );
    return new;
end $$;
comment on function crm.set_updated_at() is 'Stamps updated_at, strictly rising per row; no application clock gets in.';
