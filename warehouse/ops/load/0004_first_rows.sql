-- A first load writes its rows without indexes and builds them afterwards, which takes a third of the time of an upsert.
-- That needs the owner of the tables, so this function is all that the loader may do as the owner: move the rows of a
-- staging table into an empty core table and its history. It is one statement, so no error or kill leaves an index out.
create function ops.insert_first_rows(name text, staging_name text, extraction bigint) returns bigint
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set lock_timeout = '1s'
as $f$
declare
    core_table regclass := to_regclass(format('core.%I', name));
    history regclass := to_regclass(format('core.%I', name || '_history'));
    staging regclass := to_regclass(format('staging.%I', staging_name));
    tables regclass[] := array_remove(array[core_table, history], null);
    target regclass;
    columns text;
    statement text;
    builds text[] := '{}';
    is_empty boolean;
    inserted bigint;
begin
    if core_table is null or staging is null then
        raise 'core.% or staging.% does not exist', name, staging_name;
    end if;
    -- first without a lock: the usual answer is that there are rows
    foreach target in array tables loop
        execute format('select not exists (select from %s)', target) into is_empty;
        if not is_empty then
            return null;
        end if;
    end loop;
    begin
        foreach target in array tables loop
            execute format('lock table %s in access exclusive mode', target);
            execute format('select not exists (select from %s)', target) into is_empty;
            if not is_empty then
                raise lock_not_available;
            end if;
        end loop;
        -- the index of a constraint is dropped and built with its constraint
        for target, statement, columns in
            select c.conrelid,
                format('drop constraint %I', c.conname),
                format('alter table %s add constraint %I %s', c.conrelid::regclass, c.conname, pg_get_constraintdef(c.oid))
            from pg_constraint c where c.conrelid = any(tables) and c.contype in ('p', 'u')
            order by c.conname
        loop
            execute format('alter table %s %s', target, statement);
            builds := builds || columns;
        end loop;
        for target, statement in
            select i.indexrelid, pg_get_indexdef(i.indexrelid)
            from pg_index i where i.indrelid = any(tables)
            order by i.indexrelid
        loop
            execute format('drop index %s', target);
            builds := builds || statement;
        end loop;
    exception
        -- somebody reads the table, or a view or key depends on an index: the caller merges the rows instead
        when lock_not_available or dependent_objects_still_exist then
            return null;
    end;
    select string_agg(quote_ident(s.attname), ', ' order by s.attnum) into strict columns
    from pg_attribute s join pg_attribute c using (attname)
    where s.attrelid = staging and c.attrelid = core_table and s.attnum > 0 and c.attnum > 0
        and not s.attisdropped and not c.attisdropped;
    execute format(
        'insert into %s (%s, _extraction, _loaded_at) select %s, $1, clock_timestamp() from %s where _rules is null',
        core_table, columns, columns, staging
    ) using extraction;
    get diagnostics inserted = row_count;
    if history is not null then
        select string_agg(quote_ident(attname), ', ' order by attnum) into strict columns
        from pg_attribute
        where attrelid = history and attnum > 0 and not attisdropped and attname not in ('valid_from', 'valid_to');
        execute format(
            'insert into %s (%s, valid_from, valid_to) select %s, %L, %L from %s',
            history, columns, columns, '-infinity', 'infinity', core_table
        );
    end if;
    foreach statement in array builds loop
        execute statement;
    end loop;
    return inserted;
end $f$;
comment on function ops.insert_first_rows is 'Moves the rows that passed their checks from staging into an empty core table and its history, and builds the indexes after that; null if the table has rows or is in use.';
revoke execute on function ops.insert_first_rows from public;
grant execute on function ops.insert_first_rows to warehouse_loader;
