select feed, column_name, count(*) as hashes, max(expires_at) as expires_at -- noqa
from ops.pii_bridge group by feed, column_name order by feed, column_name
