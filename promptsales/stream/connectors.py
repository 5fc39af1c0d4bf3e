"""Debezium's connectors as code: ``plan`` compares them with Kafka Connect, ``apply`` does it.

The configuration is ``schemas/kafka/connectors/*.yml``, with what the stream's contracts and the settings say.
"""

import re
from functools import cache
from pathlib import Path
from typing import Literal, get_args

import httpx
import psycopg
import yaml
from psycopg.conninfo import conninfo_to_dict
from pydantic import BaseModel, ConfigDict

from promptsales.addresses import format_hosts, postgres_hosts
from promptsales.bus import connect, topics
from promptsales.connections import connected, missing_settings, start_options
from promptsales.errors import ConfigError
from promptsales.settings import ROOT, InternalName, Settings
from promptsales.specs import value_limits
from promptsales.specs.stream import Connector, contracts_of
from promptsales.stream import gaps

_EPOCH = "select epoch, system_identifier from ops.connector where connector = %s"
_BEGIN = Path(__file__).with_name("begin_epoch.sql").read_bytes()


class ConnectorChange(BaseModel):
    """What is to be done about a connector."""

    model_config = ConfigDict(frozen=True)

    action: Literal["create", "configure", "restart"]
    connector: Connector
    what: str


class ConnectorStatus(BaseModel):
    """A connector as Kafka Connect has it."""

    model_config = ConfigDict(frozen=True)

    connector: Connector
    state: str
    task: str
    epoch: int | None
    trouble: str


def names() -> tuple[Connector, ...]:
    """Every connector."""
    return get_args(Connector)


def source_of(connector: Connector) -> InternalName:
    """The connection Debezium has to its source."""
    return "promptcrm_cdc" if connector == "promptcrm" else "promptads_cdc"


@cache
def _written(connector: Connector) -> dict[str, str]:
    """What the files say: that of all connectors, and then the connector's own, where it has one."""
    folder = ROOT / "schemas" / "kafka" / "connectors"
    paths = [path for name in ("postgres", connector) if (path := folder / f"{name}.yml").exists()]
    found = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in paths]
    return {
        key: str(value).lower() if isinstance(value, bool) else str(value)
        for settings in found
        for key, value in settings.items()
    }


def config(settings: Settings, connector: Connector, epoch: int) -> dict[str, str]:
    """A connector's whole configuration; the password in it is a reference.

    Raises:
        ConfigError: when its source has more than one host.
        TransientError: when its source, whose version decides what a session may ask for, does not answer.
    """
    found = contracts_of(connector)
    where = source_place(settings, connector)
    columns = [_pattern(f"{c.source.relation}.{origin}") for c in found for origin in c.origins]
    return _written(connector) | {
        **where,
        "topic.prefix": connector,
        "slot.name": connector,
        "publication.name": connector,
        "table.include.list": ",".join(_pattern(c.source.relation) for c in found),
        # a snapshot does not know the publication's columns
        "column.include.list": ",".join(columns),
        "transforms.epoch.value.literal": str(epoch),
        **value_limits.compose_properties(connector),
        "driver.options": _session(settings, connector),
    }


def _pattern(name: str) -> str:
    """Return a name as a pattern of Debezium's, which splits a list at commas and does not tell capitals by itself."""
    return "(?-i)" + re.escape(name).replace(",", r"\x2c")


def source_place(settings: Settings, connector: Connector) -> dict[str, str]:
    """Return where Debezium finds its source.

    Raises:
        ConfigError: for several hosts, of which Debezium takes one, or for a socket in place of a host.
    """
    name = source_of(connector)
    address = settings.address(name)
    hosts, parts = postgres_hosts(address), conninfo_to_dict(address)
    if len(hosts) > 1 or not hosts[0][0] or hosts[0][0].startswith("/"):
        raise ConfigError(
            f"connection {name}: it names {len(hosts)} hosts, {format_hosts(name, address)}; Debezium follows one host "
            "that it reaches over TCP: name the primary, or an address that leads to it, in "
            f"PROMPTSALES_DSN__{name.upper()}"
        )
    options = {"database.sslmode": str(parts["sslmode"])} if parts.get("sslmode") else {}
    return {
        "database.hostname": hosts[0][0],
        "database.port": hosts[0][1],
        "database.dbname": str(parts.get("dbname", "")),
        **options,
    }


def _session(settings: Settings, connector: Connector) -> str:
    """What Debezium's sessions start with: as ours, but the one that exports a snapshot idles as long as it is read."""
    name = source_of(connector)
    with connected(settings, name, patience="look") as source:
        options = start_options(settings, name, without=missing_settings(source))
    return f"{options} -c idle_in_transaction_session_timeout=0"


def plan(settings: Settings) -> list[ConnectorChange]:
    """What ``apply`` would do.

    Raises:
        TransientError: when Kafka Connect, the warehouse or a source does not answer.
    """
    with connected(settings, "warehouse", patience="look") as warehouse, connect.client_of(settings) as client:
        return [change for name in names() if (change := _difference(settings, warehouse, client, name))]


def _difference(
    settings: Settings, warehouse: psycopg.Connection, client: httpx.Client, connector: Connector
) -> ConnectorChange | None:
    there = connect.call(client, "GET", f"/connectors/{connector}/config")
    if there is None:
        return ConnectorChange(action="create", connector=connector, what=f"follows {_tables(connector)} tables")
    wanted = config(settings, connector, _known_epoch(warehouse, connector) or 1)
    if changed := sorted(key for key in wanted.keys() | (there.keys() - {"name"}) if wanted.get(key) != there.get(key)):
        return ConnectorChange(action="configure", connector=connector, what=", ".join(changed))
    if status(settings, connector).task == "FAILED":
        return ConnectorChange(action="restart", connector=connector, what="its task has failed")
    return None


def _tables(connector: Connector) -> int:
    return len(contracts_of(connector))


def apply(settings: Settings) -> list[ConnectorChange]:
    """Create, configure and restart what ``plan`` names; Kafka Connect validates each configuration first.

    A connector that was known, and of which Connect has forgotten all, reads everything anew under a new epoch.

    Raises:
        TransientError: when Kafka Connect, the warehouse or a source does not answer.
        TerminalError: when Kafka Connect refuses a configuration; it names the settings that are wrong.
    """
    changes = plan(settings)
    with connected(settings, "warehouse", patience="look") as warehouse, connect.client_of(settings) as client:
        for change in changes:
            if change.action == "restart":
                connect.call(
                    client, "POST", f"/connectors/{change.connector}/restart?includeTasks=true&onlyFailed=true"
                )
                continue
            epoch = _known_epoch(warehouse, change.connector)
            if change.action == "create" and epoch and not _has_offsets(settings, client, change.connector, epoch):
                snapshot_again(settings, change.connector)
                continue
            epoch = epoch or _begin(settings, warehouse, change.connector, 1)
            connect.put(client, change.connector, config(settings, change.connector, epoch))
            if change.action == "create":
                connect.call(client, "PUT", f"/connectors/{change.connector}/resume")
    return changes


def _has_offsets(settings: Settings, client: httpx.Client, connector: Connector, epoch: int) -> bool:
    """Whether Connect knows where a connector that it lacks was; else it would read all anew, as of an old epoch."""
    connect.create_stopped(client, connector, config(settings, connector, epoch))
    found = connect.call(client, "GET", f"/connectors/{connector}/offsets", patience=True)
    return bool(found and found["offsets"])


def snapshot_again(settings: Settings, connector: Connector) -> int:
    """Read everything anew, under a new epoch: after a lost slot, or when the source was restored or replaced.

    Rows of the new epoch win over all that came before, so nothing is counted twice. Returns the epoch.

    Raises:
        TransientError, TerminalError: when Kafka Connect, the warehouse or the source does not answer or refuses.
    """
    with connected(settings, "warehouse") as warehouse, connect.client_of(settings) as client:
        epoch = (_known_epoch(warehouse, connector) or 0) + 1
        if connect.call(client, "GET", f"/connectors/{connector}/config") is None:
            connect.create_stopped(client, connector, config(settings, connector, epoch))
        connect.call(client, "PUT", f"/connectors/{connector}/stop")
        connect.call(client, "DELETE", f"/connectors/{connector}/offsets", patience=True)
        with connected(settings, source_of(connector)) as source:
            drop = "select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = %s"
            source.execute(drop, [connector])
        # of the epoch before: the snapshot closes them, where nothing of its own is lost
        gaps.record(topics.admin(settings.address("kafka")), warehouse, connector, is_following=False)
        _begin(settings, warehouse, connector, epoch)
        connect.put(client, connector, config(settings, connector, epoch))
        connect.call(client, "PUT", f"/connectors/{connector}/resume")
    return epoch


def status(settings: Settings, connector: Connector) -> ConnectorStatus:
    """How a connector is.

    Raises:
        TransientError: when Kafka Connect does not answer.
    """
    with connect.client_of(settings) as client:
        found = connect.call(client, "GET", f"/connectors/{connector}/status")
        there = connect.call(client, "GET", f"/connectors/{connector}/config") or {}
    if found is None:
        return ConnectorStatus(connector=connector, state="missing", task="-", epoch=None, trouble="")
    task = (found["tasks"] or [{"state": "none"}])[0]
    trace = str(task.get("trace") or found["connector"].get("trace") or "").strip().splitlines()
    return ConnectorStatus(
        connector=connector,
        state=found["connector"]["state"],
        task=task["state"],
        epoch=int(there.get("transforms.epoch.value.literal", 0)) or None,
        # the last cause; a connector that reads no personal data has none in it
        trouble=next(
            (line.strip()[:200] for line in reversed(trace) if line.startswith("Caused by")),
            trace[0][:200] if trace else "",
        ),
    )


def _known_epoch(warehouse: psycopg.Connection, connector: Connector) -> int | None:
    row = warehouse.execute(_EPOCH, [connector]).fetchone()
    return int(row[0]) if row else None


def _begin(settings: Settings, warehouse: psycopg.Connection, connector: Connector, epoch: int) -> int:
    warehouse.execute(_BEGIN, [connector, epoch, system_identifier(settings, connector)])
    return epoch


def system_identifier(settings: Settings, connector: Connector) -> str:
    """Which cluster a connector's source is: a restored or another one may count its log from anywhere.

    Raises:
        TransientError: when the source does not answer.
    """
    with connected(settings, source_of(connector), patience="look") as source:
        row = source.execute("select system_identifier::text from pg_control_system()").fetchone()
    return str(row[0]) if row else ""
