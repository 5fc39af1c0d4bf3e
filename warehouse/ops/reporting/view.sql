-- how reports count; provisioning replaces it by what the settings say
create view ops.reporting as select 'UTC'::text as zone;
comment on view ops.reporting is 'How reports count, as the settings said when the warehouse was last provisioned.';
comment on column ops.reporting.zone is 'The reporting zone: by whose days, hours and months marts count once they are built anew.';
