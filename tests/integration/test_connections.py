"""Connections by name: several hosts are followed, and what a server refuses is said in one line without a secret."""

import pytest
from psycopg.conninfo import conninfo_to_dict

from promptsales.airflow_client.registration import postgres_connection
from promptsales.connections import connected
from promptsales.settings import Settings


def hosts(stack: Settings, first_port: int, template: str) -> Settings:
    """The settings with a warehouse of two hosts, the first of which does not answer."""
    parts = conninfo_to_dict(stack.address("warehouse"))
    address = template.format(**parts, first=first_port)
    return stack.model_copy(update={"dsn": {"warehouse": address}})


@pytest.mark.parametrize(
    "template",
    [
        "postgresql://{user}:{password}@127.0.0.1:{first},127.0.0.1:{port}/{dbname}?target_session_attrs=read-write",
        "host=127.0.0.1,localhost port={first},{port} dbname={dbname} user={user} password={password}",
    ],
)
def test_several_hosts(stack: Settings, template: str) -> None:
    here = hosts(stack, 1, template)
    with connected(here, "warehouse") as warehouse:
        assert warehouse.execute("select current_database()").fetchone() == ("warehouse",)
        assert warehouse.info.port == stack.port("warehouse")
    kept = postgres_connection("warehouse", here.address("warehouse"), "")
    assert kept.port is None
