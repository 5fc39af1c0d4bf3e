-- sums of costs that are each below a hundred millionth of a dollar
alter table marts.content_production_monthly
    alter column linked_cost type numeric(38,12), alter column unlinked_cost type numeric(38,12);
