"""Manage Debezium's connectors as code: ``plan`` compares them with Kafka Connect, ``apply`` makes the changes.

The configuration is ``schemas/kafka/connectors/*.yml`` plus what the stream's contracts and the settings add.
"""

import re
from pathlib import Path
from typing import Literal, get_args

import httpx
import psycopg
from psycopg.conninfo import conninfo_to_dict
from pydantic import BaseModel, ConfigDict

from promptsales.addresses import format_hosts, postgres_hosts
from promptsales.bus import connect, topics
from promptsales.connections import connected, missing_settings, require_scram, start_options
from promptsales.errors import ConfigError
from promptsales.jdbc import security_properties
from promptsales.settings import Settings
from promptsales.specs import value_limits
from promptsales.specs.connector import read_connector
from promptsales.specs.stream import Connector, contracts_of
from promptsales.stream import gaps
from promptsales.targets import InternalName

_EPOCH = "select epoch, system_identifier from ops.connector where connector = %s"
_BEGIN = Path(__file__).with_name("begin_epoch.sql").read_bytes()


class ConnectorChange(BaseModel):
    """A change that a connector needs."""

    model_config = ConfigDict(frozen=True)

    action: Literal["create", "configure", "restart"]
    connector: Connector
    what: str


class ConnectorStatus(BaseModel):
    """The state of a connector in Kafka Connect."""

    model_config = ConfigDict(frozen=True)

    connector: Connector
    state: str
    task: str
    epoch: int | None
    trouble: str


def names() -> tuple[Connector, ...]:
    """Return the name of every connector."""
    return get_args(Connector)


def source_of(connector: Connector) -> InternalName:
    """Return the name of Debezium's connection to a connector's source."""
    return "promptcrm_cdc" if connector == "promptcrm" else "promptads_cdc"


def audit_of(connector: Connector) -> InternalName:
    """Return the name of the connection that reads a connector's source, and cannot replicate it."""
    return "promptcrm_audit" if connector == "promptcrm" else "promptads_audit"


def config(settings: Settings, connector: Connector, epoch: int) -> dict[str, str]:
    """Return a connector's whole configuration; it holds no password.

    Raises:
        ConfigError: when its source has more than one host.
        TransientError: when its source, whose version decides the session options, does not answer.
    """
    contracts = contracts_of(connector)
    columns = [_pattern(f"{c.source.relation}.{origin}") for c in contracts for origin in c.origins]
    return read_connector(connector) | {
        **source_properties(settings, connector),
        "topic.prefix": connector,
        "slot.name": connector,
        "publication.name": connector,
        "table.include.list": ",".join(_pattern(c.source.relation) for c in contracts),
        # a snapshot ignores the column lists of the publication
        "column.include.list": ",".join(columns),
        "transforms.epoch.value.literal": str(epoch),
        **value_limits.compose_properties(connector),
        "driver.options": _session_options(settings, connector),
    }


def _pattern(name: str) -> str:
    """Return a name as a Debezium pattern; Debezium splits lists at commas and ignores case by default."""
    return "(?-i)" + re.escape(name).replace(",", r"\x2c")


def source_properties(settings: Settings, connector: Connector) -> dict[str, str]:
    """Return the properties by which Debezium finds its source.

    Raises:
        ConfigError: for several hosts (Debezium accepts one), for a socket instead of a host, or for an option that
            Debezium cannot have.
    """
    name = source_of(connector)
    address = settings.address(name)
    hosts, parts = postgres_hosts(address), conninfo_to_dict(address)
    if len(hosts) > 1 or not hosts[0][0] or hosts[0][0].startswith("/"):
        raise ConfigError(
            f"connection {name}: it names {len(hosts)} hosts, {format_hosts(name, address)}; Debezium follows one host "
            "over TCP: set the primary, or an address that leads to it, in "
            f"PROMPTSALES_DSN__{name.upper()}"
        )
    protection = security_properties(name, require_scram(settings, name, parts))
    if "sslpassword" in protection:
        raise ConfigError(
            f"connection {name}: sslpassword would be readable in Debezium's configuration; give Debezium a key "
            f"without a password, and remove the option from PROMPTSALES_DSN__{name.upper()}"
        )
    return {
        "database.hostname": hosts[0][0],
        "database.port": hosts[0][1],
        "database.dbname": str(parts.get("dbname", "")),
        **{f"{'database' if key.startswith('ssl') else 'driver'}.{key}": value for key, value in protection.items()},
    }


def _session_options(settings: Settings, connector: Connector) -> str:
    """Return Debezium's session options: ours without the idle timeout, as its snapshot session idles for long."""
    name = source_of(connector)
    with connected(settings, audit_of(connector), patience="look") as source:
        options = start_options(settings, name, without=missing_settings(source))
    return f"{options} -c idle_in_transaction_session_timeout=0"


def plan(settings: Settings) -> list[ConnectorChange]:
    """Return the changes that ``apply`` would make.

    Raises:
        TransientError: when Kafka Connect, the warehouse or a source does not answer.
    """
    with connected(settings, "warehouse", patience="look") as warehouse, connect.client_of(settings) as client:
        return [change for name in names() if (change := _plan_connector(settings, warehouse, client, name))]


def _plan_connector(
    settings: Settings, warehouse: psycopg.Connection, client: httpx.Client, connector: Connector
) -> ConnectorChange | None:
    existing = connect.call(client, "GET", f"/connectors/{connector}/config")
    if existing is None:
        return ConnectorChange(action="create", connector=connector, what=f"follows {_tables(connector)} tables")
    expected = config(settings, connector, _read_epoch(warehouse, connector) or 1)
    if changed := sorted(
        key for key in expected.keys() | (existing.keys() - {"name"}) if expected.get(key) != existing.get(key)
    ):
        return ConnectorChange(action="configure", connector=connector, what=", ".join(changed))
    if read_status(settings, connector).task == "FAILED":
        return ConnectorChange(action="restart", connector=connector, what="its task has failed")
    return None


def _tables(connector: Connector) -> int:
    return len(contracts_of(connector))


def apply(settings: Settings) -> list[ConnectorChange]:
    """Create, configure and restart what ``plan`` lists; Kafka Connect validates each configuration first.

    A known connector whose offsets Connect has lost reads everything again under a new epoch.

    Raises:
        TransientError: when Kafka Connect, the warehouse or a source does not answer.
        TerminalError: when Kafka Connect rejects a configuration; the message names the wrong settings.
    """
    changes = plan(settings)
    with connected(settings, "warehouse", patience="look") as warehouse, connect.client_of(settings) as client:
        for change in changes:
            if change.action == "restart":
                connect.call(
                    client, "POST", f"/connectors/{change.connector}/restart?includeTasks=true&onlyFailed=true"
                )
                continue
            epoch = _read_epoch(warehouse, change.connector)
            if change.action == "create" and epoch and not _has_offsets(settings, client, change.connector, epoch):
                snapshot_again(settings, change.connector)
                continue
            epoch = epoch or _begin_epoch(settings, warehouse, change.connector, 1)
            connect.put(client, change.connector, config(settings, change.connector, epoch))
            if change.action == "create":
                connect.call(client, "PUT", f"/connectors/{change.connector}/resume")
    return changes


def _has_offsets(settings: Settings, client: httpx.Client, connector: Connector, epoch: int) -> bool:
    """Return True if Connect still has a missing connector's offsets; else it would read all under an old epoch."""
    connect.create_stopped(client, connector, config(settings, connector, epoch))
    state = connect.call(client, "GET", f"/connectors/{connector}/offsets", patience=True)
    return bool(state and state["offsets"])


def snapshot_again(settings: Settings, connector: Connector) -> int:
    """Read everything again under a new epoch, and return it: for a lost slot, or a restored or replaced source.

    Rows of the new epoch win over all earlier ones, so nothing is counted twice.

    Raises:
        TransientError, TerminalError: when Kafka Connect, the warehouse or the source does not answer or refuses.
    """
    with connected(settings, "warehouse") as warehouse, connect.client_of(settings) as client:
        epoch = (_read_epoch(warehouse, connector) or 0) + 1
        if connect.call(client, "GET", f"/connectors/{connector}/config") is None:
            connect.create_stopped(client, connector, config(settings, connector, epoch))
        connect.call(client, "PUT", f"/connectors/{connector}/stop")
        connect.call(client, "DELETE", f"/connectors/{connector}/offsets", patience=True)
        with connected(settings, source_of(connector)) as source:
            drop = "select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = %s"
            source.execute(drop, [connector])
        # gaps of the old epoch: the new snapshot closes them unless it loses events itself
        gaps.record(topics.admin(settings.address("kafka")), warehouse, connector, is_following=False)
        _begin_epoch(settings, warehouse, connector, epoch)
        connect.put(client, connector, config(settings, connector, epoch))
        connect.call(client, "PUT", f"/connectors/{connector}/resume")
    return epoch


def read_status(settings: Settings, connector: Connector) -> ConnectorStatus:
    """Return the state of a connector.

    Raises:
        TransientError: when Kafka Connect does not answer.
    """
    with connect.client_of(settings) as client:
        answer = connect.call(client, "GET", f"/connectors/{connector}/status")
        configured = connect.call(client, "GET", f"/connectors/{connector}/config") or {}
    if answer is None:
        return ConnectorStatus(connector=connector, state="missing", task="-", epoch=None, trouble="")
    task = (answer["tasks"] or [{"state": "none"}])[0]
    trace = str(task.get("trace") or answer["connector"].get("trace") or "").strip().splitlines()
    return ConnectorStatus(
        connector=connector,
        state=answer["connector"]["state"],
        task=task["state"],
        epoch=int(configured.get("transforms.epoch.value.literal", 0)) or None,
        # the last cause; connectors read no personal data, so it contains none
        trouble=next(
            (line.strip()[:200] for line in reversed(trace) if line.startswith("Caused by")),
            trace[0][:200] if trace else "",
        ),
    )


def _read_epoch(warehouse: psycopg.Connection, connector: Connector) -> int | None:
    row = warehouse.execute(_EPOCH, [connector]).fetchone()
    return int(row[0]) if row else None


def _begin_epoch(settings: Settings, warehouse: psycopg.Connection, connector: Connector, epoch: int) -> int:
    warehouse.execute(_BEGIN, [connector, epoch, read_system_identifier(settings, connector)])
    return epoch


def read_followed(warehouse: psycopg.Connection, connector: Connector) -> str:
    """Return which cluster a connector has followed since its epoch began; empty when that is not known."""
    query = "select coalesce(system_identifier, '') from ops.connector where connector = %s"
    row = warehouse.execute(query, [connector]).fetchone()
    return str(row[0]) if row else ""


def read_system_identifier(settings: Settings, connector: Connector) -> str:
    """Return which cluster a connector's source is; another or restored one may restart its log positions.

    Raises:
        TransientError: when the source does not answer.
    """
    with connected(settings, audit_of(connector), patience="look") as source:
        row = source.execute("select system_identifier::text from pg_control_system()").fetchone()
    return str(row[0]) if row else ""
