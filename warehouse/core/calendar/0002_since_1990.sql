-- every day that the rules of core let in: without its day in the calendar, what happened then was in no mart
insert into core.calendar (date_day, year, quarter, month, iso_year, iso_week, is_weekend)
select
    day,
    extract(year from day),
    extract(quarter from day),
    extract(month from day),
    extract(isoyear from day),
    extract(week from day),
    extract(isodow from day) > 5
from (select generate_series('1990-01-01', '2014-12-31', interval '1 day')::date as day) days;

comment on table core.calendar is 'One row per UTC day from 1990-01-01 to 2040-12-31: the spine that gives marts their days without data.';
