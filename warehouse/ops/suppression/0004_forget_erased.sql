-- these tables are append-only for whoever loads, but for what names an erased person
create function ops.forget_erased(name text) returns setof bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $f$
begin
    if name not in ('restatement', 'reread') then
        raise 'ops.% is not one of restatement, reread', name;
    end if;
    return query execute format(
        'delete from ops.%I t where exists (select from ops.suppression x where length(x.key) >= 16 and position(x.key in t::text) > 0) returning 1::bigint',
        name
    );
end $f$;
comment on function ops.forget_erased is 'Deletes the rows of ops.restatement or ops.reread that name anybody in ops.suppression; one number a row.';
revoke execute on function ops.forget_erased from public;
grant execute on function ops.forget_erased to warehouse_loader;
