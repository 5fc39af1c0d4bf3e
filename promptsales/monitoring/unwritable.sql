-- published tables whose updates or deletes PostgreSQL refuses, and why. It is computed from the catalogue, because to try a
-- write would run code of the table's owner (triggers, rules, expressions of indexes) with our rights
with published as (
    select p.pubname, p.pubupdate, p.pubdelete, c.oid, n.nspname || '.' || c.relname as relation, c.relreplident, t.qual,
           r.prattrs::smallint[] as columns
    from pg_publication p
    cross join lateral pg_get_publication_tables(p.pubname) t
    join pg_class c on c.oid = t.relid
    join pg_namespace n on n.oid = c.relnamespace
    left join pg_publication_rel r on r.prpubid = p.oid and r.prrelid = c.oid
), identified as (
    -- vectors of the catalogue begin at 0, and columns of `include` come after the keys
    select published.*, (i.indkey::smallint[])[0:i.indnkeyatts - 1] as identity
    from published
    left join pg_index i
      on i.indrelid = published.oid and i.indisvalid
      and case relreplident when 'd' then i.indisprimary and i.indimmediate when 'i' then i.indisreplident end
), judged as (
    select pubname, relation, pubupdate, pubdelete, case
        when relreplident <> 'f' and not array(
            select number[1]::smallint from regexp_matches(qual::text, ':varattno (\d+)', 'g') as number
        ) <@ coalesce(identity, '{}') then 'filter'
        when relreplident = 'f' and columns is not null or not identity <@ columns then 'list'
        when relreplident <> 'f' and identity is null then 'key'
    end as fault
    from identified
)
select pubname, relation, verb, fault
from judged
cross join lateral (values ('UPDATE', pubupdate), ('DELETE', pubdelete)) as verbs (verb, is_published)
where is_published and fault is not null
order by pubname, relation, verb desc
