-- who holds the lock of a mart, and since when
select format('started %%s UTC by %%s, session %%s', to_char(m.taken_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS'), m.taken_by, m.pid)
from ops.mart_lock m
join pg_locks l on l.pid = m.pid and l.locktype = 'advisory' and l.granted and l.classid = %(space)s and l.objid = %(number)s
                   and l.objsubid = 2 and l.database = (select oid from pg_database where datname = current_database())
where m.mart = %(mart)s
