"""A connection with several hosts uses the first one that fits."""

import pytest
from psycopg.conninfo import conninfo_to_dict

from promptsales.airflow_client.registration import postgres_connection
from promptsales.connections import connected
from promptsales.settings import Settings


@pytest.mark.parametrize(
    "template",
    [
        "postgresql://{user}:{password}@127.0.0.1:{first},127.0.0.1:{port}/{dbname}?target_session_attrs=read-write",
        "host=127.0.0.1,localhost port={first},{port} dbname={dbname} user={user} password={password}",
    ],
)
def test_several_hosts(stack: Settings, template: str) -> None:
    # nobody listens on port 1
    address = template.format(**conninfo_to_dict(stack.address("warehouse")), first=1)
    settings = stack.model_copy(update={"dsn": {"warehouse": address}})
    with connected(settings, "warehouse") as warehouse:
        assert warehouse.execute("select current_database()").fetchone() == ("warehouse",)
        assert warehouse.info.port == stack.port("warehouse")
    assert postgres_connection("warehouse", address, "").port is None
