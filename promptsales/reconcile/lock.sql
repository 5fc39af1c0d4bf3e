-- the last extraction of the feed; until the transaction ends, no load of it begins or publishes
select extraction from ops.feed where feed = %(feed)s for update
