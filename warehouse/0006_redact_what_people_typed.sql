-- what people typed may hold e-mail addresses and phone numbers: take out of the stored rows what the sources' views, the
-- content job and the stream now leave out (promptsales/hashing/redaction.py). An empty database has none of these tables
create function pg_temp.redacted(value text) returns text language sql as $f$
    select regexp_replace(
        regexp_replace(
            value collate "C",
            '(?:\+|\u00252[Bb])[ (]?[0-9](?:[ ./()-]{0,3}[0-9]){6,22}|'
                || '(?<![0-9A-Za-z_.,-])\(?0(?:[0-9]{2}(?:[ ./()-]{0,3}[0-9]){6,22}|[1-9](?:[ .-][0-9]{2}){4})(?!-?[0-9A-Za-z_])|'
                || '(?<![0-9A-Za-z_.,-])(?:1[ .-])?(?:\([2-9][0-9]{2}\) ?|[2-9][0-9]{2}[ .-])[2-9][0-9]{2}[ .-][0-9]{4}(?!-?[0-9A-Za-z_])',
            '***', 'g'
        ),
        '[^ \t\n\r\f\v<>()\[\]{}",;:|/?&=#]+(?:@|\u002540)[^ \t\n\r\f\v<>()\[\]{}",;:|/?&=#]+[.][^ \t\n\r\f\v<>()\[\]{}",;:|/?&=#]+',
        '***', 'g'
    )
$f$;

create function pg_temp.redacted(texts text[]) returns text[] language sql as $f$
    select case when texts is not null then array(
        select pg_temp.redacted(item) from unnest(texts) with ordinality as u (item, place) order by place
    ) end
$f$;

-- an object within a row is redacted by key
create function pg_temp.redacted(object jsonb) returns jsonb language sql as $f$
    select case when jsonb_typeof(object) = 'object' then (
        select coalesce(jsonb_object_agg(key, case
            when pg_temp.redacted(value::text) = value::text then value else '"***"'
        end), '{}')
        from jsonb_each(object)
    ) else object end
$f$;

-- a whole row as JSON; its key stays
create function pg_temp.redacted_row(object jsonb, row_key text) returns jsonb language sql as $f$
    select coalesce(jsonb_object_agg(key, case
        when jsonb_typeof(value) = 'string' and value #>> '{}' is distinct from row_key
            then to_jsonb(pg_temp.redacted(
                regexp_replace(value #>> '{}', case when key = 'url' then '[?#].*' else '^$' end, '')
            ))
        when jsonb_typeof(value) = 'array'
            then to_jsonb(pg_temp.redacted(array(select jsonb_array_elements_text(value))))
        when jsonb_typeof(value) = 'object' then pg_temp.redacted(value)
        else value
    end), '{}')
    from jsonb_each(object)
$f$;

do $d$
declare
    kept record;
    deleted bigint;
begin
    if to_regclass('core.leads') is null then
        return;
    end if;
    update core.content_assets set url = regexp_replace(url, '[?#].*', '') where url ~ '[?#]';
    for kept in
        select t.relation, u.assignments, u.differences
        from (values
            ('core.accounts', '{name,domain,industry}'::text[]),
            ('core.contacts', '{job_title}'),
            ('core.leads', '{company_name,job_title,lead_source,utm_source,utm_medium,utm_campaign,utm_content,utm_term}'),
            ('core.leads', '{disqualified_reason}'),
            ('core.opportunities', '{lost_reason}'),
            ('core.pipeline_stages', '{pipeline_code,name}'),
            ('core.content_assets', '{project_id,url,format,tags,model,prompt_history_id}'),
            ('core.content_assets_history', '{prompt_history_id}'),
            ('core.prompts', '{tool,asset_id}'),
            ('core.campaigns', '{name}'),
            ('core.campaigns_history', '{name}'),
            ('core.ad_groups', '{name,target_audience}'),
            ('core.ad_groups_history', '{name,target_audience}'),
            ('core.ads', '{content_id,status}'),
            ('core.ads_history', '{content_id,status}')
        ) as t (relation, columns)
        cross join lateral (
            select string_agg(format('%1$I = pg_temp.redacted(%1$I)', c), ', ') as assignments,
                   string_agg(format('%1$I is distinct from pg_temp.redacted(%1$I)', c), ' or ') as differences
            from unnest(t.columns) as c
        ) as u
    loop
        execute format('update %s set %s where %s', kept.relation, kept.assignments, kept.differences);
    end loop;
    update ops.quarantine set payload = pg_temp.redacted_row(payload, key)
    where payload is distinct from pg_temp.redacted_row(payload, key);
    update ops.restatement
    set grain = pg_temp.redacted_row(grain, null), old_values = pg_temp.redacted_row(old_values, null),
        new_values = pg_temp.redacted_row(new_values, null)
    where (grain, old_values, new_values) is distinct from (
        pg_temp.redacted_row(grain, null), pg_temp.redacted_row(old_values, null),
        pg_temp.redacted_row(new_values, null)
    );
    -- rows of the last loads
    for kept in select tablename from pg_tables where schemaname = 'staging' loop
        execute format('truncate staging.%I', kept.tablename);
    end loop;
    -- rows of marts are built again, because two of them may become one
    for kept in
        select c.table_name, string_agg(
            format('%1$I is distinct from pg_temp.redacted(%1$I)', c.column_name), ' or '
        ) as differences
        from information_schema.columns c join information_schema.tables t using (table_schema, table_name)
        where c.table_schema = 'marts' and t.table_type = 'BASE TABLE'
          and c.data_type in ('text', 'character varying')
        group by 1
    loop
        execute format('delete from marts.%I where %s', kept.table_name, kept.differences);
        get diagnostics deleted = row_count;
        if deleted > 0 then
            update ops.mart set definition = '' where mart = kept.table_name;
        end if;
    end loop;
end
$d$;
