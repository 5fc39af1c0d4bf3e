"""Servers and databases that no session of ours can make right."""

import psycopg

from promptsales.errors import ConfigError


def refuse_standby(connection: psycopg.Connection, what: str) -> None:
    """Refuse a server where nothing can be created.

    Raises:
        ConfigError: naming what was to be provisioned.
    """
    if connection.execute("select pg_is_in_recovery()").fetchone() == (True,):
        raise ConfigError(
            f"{what}: its server is a standby, where nothing can be created; correct the address of the administrator "
            "(SOURCES_ADMIN, WAREHOUSE_ADMIN) in the setting PROMPTSALES_DSN to that of the primary"
        )


def refuse_encoding(connection: psycopg.Connection, database: str) -> None:
    """Refuse a database whose text cannot be hashed or joined as everywhere else.

    Raises:
        ConfigError: naming its encoding.
    """
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise ConfigError(
            f"database {database}: its encoding is {encoding}, expected UTF8, in which text is hashed; create another "
            "with `encoding 'UTF8' template template0` and move the data there (pg_dump, pg_restore)"
        )
