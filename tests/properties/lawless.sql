-- the polled tables of a source database without any law: no constraint, no unique index, no trigger
do $$
declare
    found record;
    tables regclass[] := array(
        select format('%I.%I', schemaname, tablename)::regclass from pg_tables
        where schemaname in ('promptsales', 'crm') and tablename <> 'opportunity_stage_history'
    );
begin
    for found in
        select conrelid::regclass as place, conname from pg_constraint
        where conrelid = any(tables) or confrelid = any(tables)
        order by array_position(array['f', 'c', 'u', 'p', 'n'], contype::text)
    loop
        execute format('alter table %s drop constraint if exists %I cascade', found.place, found.conname);
    end loop;
    for found in select indexrelid::regclass as place from pg_index where indrelid = any(tables) and indisunique loop
        execute format('drop index %s', found.place);
    end loop;
    for found in select unnest(tables) as place loop
        execute format('alter table %s disable trigger user', found.place);
    end loop;
end $$
