-- core.calendar: every day from 2015 to 2040, by UTC; a later year comes with a numbered file
create table core.calendar (
    date_day date primary key,
    year smallint not null,
    quarter smallint not null,
    month smallint not null,
    iso_year smallint not null,
    iso_week smallint not null,
    is_weekend boolean not null
);
comment on table core.calendar is 'One row per UTC day from 2015-01-01 to 2040-12-31: the spine that gives marts their days without data.';
comment on column core.calendar.date_day is 'The day.';
comment on column core.calendar.year is 'Calendar year.';
comment on column core.calendar.quarter is 'Quarter of the year, 1 to 4.';
comment on column core.calendar.month is 'Month of the year, 1 to 12.';
comment on column core.calendar.iso_year is 'Year the ISO 8601 week belongs to; differs from year around New Year.';
comment on column core.calendar.iso_week is 'ISO 8601 week of iso_year, 1 to 53; weeks begin on Monday.';
comment on column core.calendar.is_weekend is 'Whether the day is a Saturday or a Sunday.';

insert into core.calendar (date_day, year, quarter, month, iso_year, iso_week, is_weekend)
select
    day,
    extract(year from day),
    extract(quarter from day),
    extract(month from day),
    extract(isoyear from day),
    extract(week from day),
    extract(isodow from day) > 5
from (select generate_series('2015-01-01', '2040-12-31', interval '1 day')::date as day) days;
