"""Refuse a database in which somebody else has made schemas or relations that are ours."""

from pathlib import Path

import psycopg

from promptsales.errors import ConfigError

_STRANGERS = (Path(__file__).parent / "sql" / "strangers.sql").read_bytes()


def refuse_planted(connection: psycopg.Connection) -> None:
    """Refuse schemas ``etl`` and ``migrations`` that do not belong to us: their triggers and views would run as us.

    Args:
        connection: an administrator's connection to the database.

    Raises:
        ConfigError: naming the first object and its owner.
    """
    if stranger := connection.execute(_STRANGERS).fetchone():
        what, owner = stranger
        raise ConfigError(
            f"database {connection.info.dbname}: {what} belongs to {owner}, expected the administrator's own, because "
            "the pipeline would run code in it with the administrator's rights; ask the owner to rename it"
        )
