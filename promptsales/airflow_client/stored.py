"""Addresses of connections that are stored in Airflow, as the tasks and the Warehouse page read them there."""

from typing import Any, Protocol
from urllib.parse import urlencode


class StoredConnection(Protocol):
    """What Airflow's two classes of connections have in common: that of its tasks and that of its API server."""

    host: Any
    port: Any
    login: Any
    schema: Any

    @property
    def extra_dejson(self) -> dict[Any, Any]:
        """Its options."""


def redis_url(connection: StoredConnection) -> str:
    """Return the URL of a Redis connection stored in Airflow, with its options and without its login."""
    options = dict(connection.extra_dejson)
    scheme = "rediss" if options.pop("ssl", False) else "redis"
    place = f"{connection.host}:{connection.port or 6379}/{connection.schema or 0}"
    return f"{scheme}://{place}?{urlencode(options)}"


def postgres_parameters(connection: StoredConnection, password: str | None) -> dict[str, Any]:
    """Return libpq's parameters of a PostgreSQL connection stored in Airflow."""
    fields = {
        "host": connection.host, "port": connection.port, "user": connection.login, "password": password,
        "dbname": connection.schema,
    }  # fmt: skip
    return {name: value for name, value in fields.items() if value is not None} | connection.extra_dejson
