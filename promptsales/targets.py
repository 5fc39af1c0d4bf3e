"""The connections by their names, the ports of the local stack, and where each PostgreSQL connection leads."""

from typing import Literal, NamedTuple, get_args

from promptsales.errors import ConfigError

# the ports of the local stack, counted from the setting port_base in steps of one
Port = Literal[
    "sources",
    "warehouse",
    "mongo",
    "redis",
    "kafka",
    "kafka_controller",
    "connect",
    "airflow",
    "superset",
    # last: each further worker of the stream listens on the next port
    "stream",
]

# the connections that `promptsales dsn` prints, and those that only the pipeline uses
PublicName = Literal[
    "promptsales", "promptads", "promptcrm", "promptcontent", "redis", "kafka", "connect", "warehouse", "bi", "airflow"
]
InternalName = Literal[
    "promptsales_etl",
    "promptcrm_etl",
    "promptads_cdc",
    "promptcrm_cdc",
    "promptads_audit",
    "promptcrm_audit",
    "promptcontent_etl",
    "warehouse_page",
    "sources_admin",
    "warehouse_admin",
    "promptcontent_admin",
    "kafka_stream",
    "kafka_content",
    "kafka_alerts",
    "airflow_db",
    "superset_db",
]


class PostgresTarget(NamedTuple):
    """The target of a PostgreSQL connection: a cluster of the local stack, a database, a role and its search path."""

    cluster: Port
    database: str
    role: str
    search_path: str


POSTGRES: dict[str, PostgresTarget] = {
    "promptsales": PostgresTarget("sources", "promptsales", "promptsales_owner", "promptsales"),
    "promptads": PostgresTarget("sources", "promptsales", "promptads_owner", "promptads"),
    "promptcrm": PostgresTarget("sources", "promptcrm", "promptcrm_owner", "crm"),
    "promptsales_etl": PostgresTarget("sources", "promptsales", "etl_reader", ""),
    "promptcrm_etl": PostgresTarget("sources", "promptcrm", "etl_reader", ""),
    "promptads_cdc": PostgresTarget("sources", "promptsales", "cdc", ""),
    "promptcrm_cdc": PostgresTarget("sources", "promptcrm", "cdc", ""),
    "promptads_audit": PostgresTarget("sources", "promptsales", "etl_audit", ""),
    "promptcrm_audit": PostgresTarget("sources", "promptcrm", "etl_audit", ""),
    "sources_admin": PostgresTarget("sources", "postgres", "postgres", ""),
    "warehouse": PostgresTarget("warehouse", "warehouse", "warehouse_loader", ""),
    "bi": PostgresTarget("warehouse", "warehouse", "bi", ""),
    "warehouse_page": PostgresTarget("warehouse", "warehouse", "warehouse_page", ""),
    "warehouse_admin": PostgresTarget("warehouse", "warehouse", "postgres", ""),
    "airflow_db": PostgresTarget("warehouse", "airflow", "airflow", ""),
    "superset_db": PostgresTarget("warehouse", "superset", "superset", ""),
}


def postgres_target(name: PublicName | InternalName) -> PostgresTarget:
    """Return the target of a PostgreSQL connection in the local stack; your own server's must correspond to it.

    Raises:
        ConfigError: when no PostgreSQL connection has that name.
    """
    if name not in POSTGRES:
        raise ConfigError(f"no PostgreSQL connection is called {name!r}; use one of {', '.join(POSTGRES)}")
    return POSTGRES[name]


def connection_names() -> tuple[str, ...]:
    """Return the names that `promptsales dsn` accepts."""
    return get_args(PublicName)
