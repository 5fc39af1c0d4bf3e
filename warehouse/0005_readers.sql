-- what readers may read is said once, in schemas/roles/warehouse.yml: provisioning grants it, table by table
alter default privileges in schema marts revoke select on tables from bi_reader;
