-- the newest loads of all feeds are listed page by page
create index on ops.load (published_at);
