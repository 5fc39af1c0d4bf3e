alter table ops.feed add held_since timestamptz;
comment on column ops.feed.held_since is 'Since when held_by holds; null when nothing does.';
