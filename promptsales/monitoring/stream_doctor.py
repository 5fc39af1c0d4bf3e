"""Find problems of the stream (publications, slots, connectors) before the application fails or events are lost."""

from collections.abc import Iterator
from pathlib import Path

import psycopg

from promptsales.bus import topics
from promptsales.connections import connected
from promptsales.errors import SourceRefused
from promptsales.extract.visible import refuse_hidden_table
from promptsales.monitoring.findings import Finding
from promptsales.monitoring.stream_status import ConnectorHealth, read_connectors
from promptsales.provision.publications import DATABASES
from promptsales.settings import Settings
from promptsales.specs.stream import Connector, StreamContract, contracts_of
from promptsales.stream import absent_columns, connectors, gaps
from promptsales.stream.lag import Slot

# shares of max_slot_wal_keep_size
_NEAR, _CLOSE = 0.2, 0.5

# a row does not fit into a message, or into the memory of Kafka Connect
_TOO_LARGE = ("RecordTooLargeException", "OutOfMemoryError")

_IN_TIME = (
    "check that the connector and the workers run (`promptsales status`) and that no transaction stays open at the "
    "source, before the source drops the slot's log"
)

_PUBLISHED = """
    select p.pubname, n.nspname || '.' || c.relname
    from pg_publication p
    cross join lateral pg_get_publication_tables(p.pubname) t
    join pg_class c on c.oid = t.relid
    join pg_namespace n on n.oid = c.relnamespace
"""
_UNWRITABLE = Path(__file__).with_name("unwritable.sql").read_bytes()
# why PostgreSQL refuses a write, and what to do
_FAULTS = {
    "filter": (
        "the publication's filter names columns that are not part of the replica identity",
        "take them out of the filter of",
    ),
    "list": (
        "the publication's column list does not cover the replica identity",
        "see docs/how-to/fix-the-stream.md about",
    ),
    "key": ("it has no replica identity", "add a primary key to"),
}


def check_publications(settings: Settings) -> Iterator[Finding]:
    """Report publications that make the application's writes fail, and tables missing in our publications."""
    for connector, database in DATABASES.items():
        with connected(settings, "sources_admin", database, patience="look") as source:
            tables = source.execute(_PUBLISHED).fetchall()
            yield from find_unwritable(source)
            published = {relation for publication, relation in tables if publication == connector}
            for contract in contracts_of(connector):
                yield from _check_published(source, contract, published)


def _check_published(source: psycopg.Connection, contract: StreamContract, published: set[str]) -> Iterator[Finding]:
    where, table = f"publication {contract.source.system}", f"{contract.layer}.{contract.table}"
    if contract.source.relation not in published:
        yield Finding(
            where,
            f"{contract.source.relation} is missing, so {table} is not updated",
            f"run `promptsales provision`, then `promptsales connectors snapshot {contract.source.system}`",
        )
    elif names := absent_columns.read_unpublished_columns(source, contract):
        yield Finding(
            where,
            f"it does not send the columns {', '.join(names)} of {contract.source.relation}, which {table} needs",
            absent_columns.HOW_TO_FIX,
        )


def check_hidden_rows(settings: Settings) -> Iterator[Finding]:
    """Report tables in which row security hides rows from Debezium's role, or from the audits."""
    for connector in DATABASES:
        for name in (connectors.source_of(connector), connectors.audit_of(connector)):
            with connected(settings, name, patience="look") as source:
                for contract in contracts_of(connector):
                    try:
                        refuse_hidden_table(contract.table, contract.source.relation, source)
                    except SourceRefused as error:
                        todo = "fix this; Debezium then retries a snapshot that PostgreSQL rejected"
                        yield Finding(f"table {contract.table}", str(error), todo)


def find_unwritable(source: psycopg.Connection) -> Iterator[Finding]:
    """Report publications that make writes of the application fail."""
    for publication, relation, verb, fault in source.execute(_UNWRITABLE):
        reason, fix = _FAULTS[fault]
        what = f"{verb} of {relation} by the application fails: {reason}"
        yield Finding(f"publication {publication}", what, f"{fix} {relation}, or remove it from the publication")


def check_streams(settings: Settings) -> Iterator[Finding]:
    """Report connectors that do not run, slots that are lost or nearly full, restored sources, lost events."""
    for change in connectors.plan(settings):
        if change.action == "restart":
            yield describe_failure(connectors.read_status(settings, change.connector))
        else:
            todo = "run `promptsales connectors apply`"
            yield Finding(f"connector {change.connector}", f"would be {change.action}d: {change.what}", todo)
    for connector in read_connectors(settings):
        status = connector.status
        if status.state == "missing":
            continue
        if status.state != "RUNNING":
            todo = "resume it in Kafka Connect before its slot fills up"
            yield Finding(f"connector {status.connector}", f"is {status.state.lower()}", todo)
        yield from _check_slot(connector)
        yield from _check_origin(settings, status.connector)
    yield from _check_gaps(settings)


def describe_failure(status: connectors.ConnectorStatus) -> Finding:
    """Return the finding for a connector whose task has failed."""
    todo = "run `promptsales connectors apply`"
    if any(error in status.trouble for error in _TOO_LARGE):
        todo = (
            "run `promptsales topics apply` and `promptsales connectors apply`, then `promptsales connectors snapshot "
            f"{status.connector}`, which truncates such values at the source; a restart alone would read the same row"
        )
    return Finding(f"connector {status.connector}", f"has failed: {status.trouble or 'its task gives no reason'}", todo)


def _check_gaps(settings: Settings) -> Iterator[Finding]:
    """Report events that left Kafka before they were applied; workers record gaps too, but may not be running."""
    client = topics.admin(settings.address("kafka"))
    with connected(settings, "warehouse", patience="look") as warehouse:
        for connector in connectors.names():
            for gap in gaps.find_open(client, warehouse, connector):
                yield Finding(
                    f"topic {gap.topic}",
                    f"{gap}; complete_through of all tables of {connector} does not advance",
                    gaps.describe_fix(connector),
                )


def _check_slot(connector: ConnectorHealth) -> Iterator[Finding]:
    name, slot = connector.status.connector, connector.slot
    snapshot = f"run `promptsales connectors snapshot {name}`: it reads all rows again, as a new epoch"
    if slot is None:
        yield Finding(f"slot {name}", "does not exist, so the changes since it was dropped are missing", snapshot)
    elif slot.wal_status == "lost":
        yield Finding(f"slot {name}", "is lost: the source has removed log that was not read", snapshot)
    elif slot.is_losing:
        yield Finding(f"slot {name}", "will be lost at the source's next checkpoint unless it is read before", _IN_TIME)
    else:
        yield from _check_cap(slot)


def _check_cap(slot: Slot) -> Iterator[Finding]:
    if slot.cap_bytes is None:
        yield Finding(
            f"slot {slot.slot}",
            "can keep an unlimited amount of the source's log, which can fill its disk",
            "set max_slot_wal_keep_size on the source, e.g. 10GB",
        )
    elif slot.kept_bytes > _NEAR * slot.cap_bytes:
        urgency = "lost soon" if slot.kept_bytes > _CLOSE * slot.cap_bytes else "behind"
        share = f"{slot.kept_bytes / slot.cap_bytes:.0%} of the log it may keep"
        yield Finding(f"slot {slot.slot}", f"is {urgency}: {share}", _IN_TIME)


def _check_origin(settings: Settings, connector: Connector) -> Iterator[Finding]:
    with connected(settings, "warehouse", patience="look") as warehouse:
        followed = connectors.read_followed(warehouse, connector)
    if followed and followed != connectors.read_system_identifier(settings, connector):
        yield Finding(
            f"connector {connector}",
            "its source is a different cluster than before, so positions in its log are not comparable",
            f"run `promptsales connectors snapshot {connector}`: rows of a new epoch replace all earlier ones",
        )
