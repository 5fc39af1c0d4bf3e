"""Refuse servers and databases that the pipeline cannot use: a standby, or an encoding other than UTF8."""

import psycopg

from promptsales.errors import ConfigError


def refuse_standby(connection: psycopg.Connection, what: str) -> None:
    """Refuse a standby, where nothing can be created.

    Args:
        connection: a connection to the server.
        what: what is provisioned, for the message.

    Raises:
        ConfigError: when the server is a standby.
    """
    if connection.execute("select pg_is_in_recovery()").fetchone() == (True,):
        raise ConfigError(
            f"{what}: its server is a standby, where nothing can be created; correct the address of the administrator "
            "(SOURCES_ADMIN, WAREHOUSE_ADMIN) in the setting PROMPTSALES_DSN to that of the primary"
        )


def refuse_encoding(connection: psycopg.Connection, database: str) -> None:
    """Refuse a database whose text does not hash to the same bytes as in other databases.

    Raises:
        ConfigError: when its encoding is not UTF8.
    """
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise ConfigError(
            f"database {database}: its encoding is {encoding}, expected UTF8, in which text is hashed; create another "
            "with `encoding 'UTF8' template template0` and move the data there (pg_dump, pg_restore)"
        )
