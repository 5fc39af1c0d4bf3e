-- which extraction may publish
select fence from ops.feed where feed = %(feed)s
