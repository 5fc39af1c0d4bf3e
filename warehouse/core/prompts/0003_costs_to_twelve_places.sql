-- a token of a small model costs less than a hundred millionth of a dollar; the rows are written once more
alter table core.prompts alter column cost_amount type numeric(24, 12);
