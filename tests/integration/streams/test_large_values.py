"""A large value that an update leaves unchanged, as PostgreSQL and Debezium send it."""

import psycopg

from promptsales.settings import Settings
from tests.support.campaigning import start_campaigns
from tests.support.streaming import assert_equal_to_the_source, followed, settle

# long values of every type are stored out of line (TOAST)
_BESIDE = """
    alter table promptads.ad_groups set (toast_tuple_target = 128), alter column name set storage external;
    alter table promptads.campaigns set (toast_tuple_target = 128), alter column name set storage external;
    update promptads.campaigns set name = repeat('long ', 50)
"""
_WITHIN = """
    alter table promptads.ad_groups reset (toast_tuple_target), alter column name set storage extended;
    alter table promptads.campaigns reset (toast_tuple_target), alter column name set storage extended
"""
# an array where the contract expects an object
_BREAK = """
    update promptads.ad_groups set name = 'list', target_audience = target_audience->'interests'
    where id = (select min(id::text)::uuid from promptads.ad_groups)
"""
_CHANGE = """
    update promptads.ad_groups set name = 'changed ' || name;
    update promptads.campaigns set budget = budget + 1
"""
_REAL = "update promptads.campaigns set name = '__debezium_unavailable_value'"
_MEND = "update promptads.ad_groups set target_audience = '{}' where name = 'changed list'"
HELD = """
    select rules, payload->>'name', jsonb_array_length(payload->'target_audience') from ops.quarantine
    where released_at is null
"""


def test_what_an_update_leaves_as_it_was(stack: Settings, warehouse: psycopg.Connection) -> None:
    with psycopg.connect(stack.address("promptads"), autocommit=True) as ads, followed(stack):
        start_campaigns(stack)
        try:
            for statement in (_BESIDE, _BREAK, _CHANGE):
                ads.execute(statement.encode())
            settle(stack)
        finally:
            ads.execute(_WITHIN)
        held = [(["target_audience_not_an_object"], "changed list", 100)]
        assert warehouse.execute(HELD).fetchall() == held
        assert warehouse.execute("select distinct length(name) from core.campaigns").fetchall() == [(250,)]
        ads.execute(_REAL)
        ads.execute(_MEND)
        settle(stack)
        assert warehouse.execute(HELD).fetchall() == []
        assert_equal_to_the_source(stack, warehouse)
