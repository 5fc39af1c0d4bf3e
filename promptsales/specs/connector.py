"""What the files of Debezium's connectors say: ``schemas/kafka/connectors/*.yml``."""

from functools import cache

from promptsales.documents import read_yaml
from promptsales.settings import ROOT
from promptsales.specs.stream import Connector


@cache
def read_connector(connector: Connector) -> dict[str, str]:
    """Read the configuration files: the common one, then the connector's own if it has one."""
    folder = ROOT / "schemas" / "kafka" / "connectors"
    paths = [path for name in ("postgres", connector) if (path := folder / f"{name}.yml").exists()]
    files = [read_yaml(path) for path in paths]
    return {
        key: str(value).lower() if isinstance(value, bool) else str(value)
        for properties in files
        for key, value in properties.items()
    }
