"""What is wrong with the stream (publications, slots, connectors), before the application stops or a place is lost."""

from collections.abc import Iterator

import psycopg
from psycopg import sql

from promptsales.bus import topics
from promptsales.connections import connected
from promptsales.errors import SourceRefused
from promptsales.extract.visible import refuse_hidden_table
from promptsales.monitoring.findings import Finding
from promptsales.monitoring.stream_status import Following, following
from promptsales.provision.publications import DATABASES
from promptsales.settings import Settings
from promptsales.specs.stream import contracts_of, stream_contracts
from promptsales.stream import absent_columns, connectors, gaps
from promptsales.stream.lag import Slot

# of the most log that a slot may keep
_NEAR, _CLOSE = 0.2, 0.5

# a row that does not fit into a message, or into the memory of Kafka Connect
_TOO_LARGE = ("RecordTooLargeException", "OutOfMemoryError")

_IN_TIME = (
    "see that connector and workers run (`promptsales status`), and that no transaction stays open at the source, "
    "before the source lets the slot go"
)

_UNNAMED = """
    select topic, sum(unnamed_events) from ops.stream_offset
    group by topic having max(unnamed_at) > clock_timestamp() - interval '1 day' order by topic
"""
_PUBLISHED = """
    select distinct p.pubname, n.nspname, c.relname, a.attname
    from pg_publication p
    cross join lateral pg_get_publication_tables(p.pubname) t
    join pg_class c on c.oid = t.relid
    join pg_namespace n on n.oid = c.relnamespace
    join lateral (
        select attname from pg_attribute
        where attrelid = c.oid and attnum > 0 and not attisdropped and attgenerated = '' and attidentity <> 'a'
        order by attnum limit 1
    ) a on true
    order by 1, 2, 3
"""


def publications(settings: Settings) -> Iterator[Finding]:
    """Publications that make the application's own UPDATE or DELETE fail, and tables that have left ours."""
    for connector, database in DATABASES.items():
        with connected(settings, "sources_admin", database, patience="look") as source:
            published = source.execute(_PUBLISHED).fetchall()
            for publication, schema, table, column in published:
                yield from _breaks(source, publication, sql.Identifier(schema, table), f"{schema}.{table}", column)
            there = {f"{schema}.{table}" for name, schema, table, _ in published if name == connector}
            for contract in contracts_of(connector):
                if contract.source.relation not in there:
                    yield Finding(
                        f"publication {connector}",
                        f"{contract.source.relation} is not in it, so {contract.layer}.{contract.table} stands still",
                        f"run `promptsales provision`, then `promptsales connectors snapshot {connector}`",
                    )
                elif names := absent_columns.read_unpublished_columns(source, contract):
                    yield Finding(
                        f"publication {connector}",
                        f"it sends no column {', '.join(names)} of {contract.source.relation}, which "
                        f"{contract.layer}.{contract.table} needs",
                        absent_columns.HOW_TO_FIX,
                    )


def hidden(settings: Settings) -> Iterator[Finding]:
    """Tables of which Debezium's role is not shown every row."""
    for connector in DATABASES:
        with connected(settings, connectors.source_of(connector), patience="look") as source:
            for contract in contracts_of(connector):
                try:
                    refuse_hidden_table(contract.table, contract.source.relation, source)
                except SourceRefused as error:
                    todo = "Debezium then repeats by itself a snapshot that PostgreSQL refused"
                    yield Finding(f"table {contract.table}", str(error), todo)


def _breaks(
    source: psycopg.Connection, publication: str, relation: sql.Identifier, name: str, column: str
) -> Iterator[Finding]:
    """Ask PostgreSQL itself: it refuses a change of no row just as one of many."""
    for statement in ("update {relation} set {column} = {column} where false", "delete from {relation} where false"):
        try:
            with source.transaction(force_rollback=True):
                # the application's own triggers have no say here
                source.execute("set local session_replication_role = replica")
                source.execute(sql.SQL(statement).format(relation=relation, column=sql.Identifier(column)))
        except psycopg.errors.InvalidColumnReference as error:
            reason = error.diag.message_detail or error.diag.message_primary
            yield Finding(
                f"publication {publication}",
                f"the application's own {statement.split()[0].upper()} of {name} fails: {reason}",
                f"take {name} out of the publication, or publish it as docs/how-to/fix-the-stream.md says",
            )
        except psycopg.errors.ObjectNotInPrerequisiteState as error:
            yield Finding(
                f"publication {publication}",
                f"the application's own {statement.split()[0].upper()} of {name} fails: {error.diag.message_primary}",
                f"give {name} a primary key, or take it out of the publication",
            )


def streams(settings: Settings) -> Iterator[Finding]:
    """Connectors that do not run, slots that are lost or near their cap, sources that were restored."""
    for change in connectors.plan(settings):
        if change.action == "restart":
            yield failed(connectors.read_status(settings, change.connector))
        else:
            todo = "run `promptsales connectors apply`"
            yield Finding(f"connector {change.connector}", f"would be {change.action}d: {change.what}", todo)
    for found in following(settings):
        if found.status.state == "missing":
            continue
        if found.status.state != "RUNNING":
            what, todo = f"is {found.status.state.lower()}", "resume it in kafka connect, before its slot fills"
            yield Finding(f"connector {found.status.connector}", what, todo)
        yield from _slot(found)
        yield from _origin(settings, found)
    yield from _gaps(settings)
    yield from _unnamed(settings)
    with connected(settings, "warehouse") as warehouse:
        yield from find_absent_columns(warehouse)


def failed(status: connectors.ConnectorStatus) -> Finding:
    """Return what is to be done about a connector whose task has failed."""
    todo = "run `promptsales connectors apply`"
    if any(error in status.trouble for error in _TOO_LARGE):
        todo = (
            "a restart meets the same row again: after `promptsales topics apply` and `promptsales connectors apply`, "
            f"run `promptsales connectors snapshot {status.connector}`, for which the source cuts such values"
        )
    return Finding(f"connector {status.connector}", f"has failed: {status.trouble or 'its task says nothing'}", todo)


def _gaps(settings: Settings) -> Iterator[Finding]:
    """Events that left Kafka before they were applied, also while no worker runs that would record it."""
    client = topics.admin(settings.address("kafka"))
    with connected(settings, "warehouse", patience="look") as warehouse:
        for connector in connectors.names():
            for gap in gaps.find_open(client, warehouse, connector):
                yield Finding(
                    f"topic {gap.topic}",
                    f"{gap}; complete_through of all tables of {connector} stands",
                    gaps.describe_fix(connector),
                )


def _unnamed(settings: Settings) -> Iterator[Finding]:
    with connected(settings, "warehouse", patience="look") as warehouse:
        for topic, events in warehouse.execute(_UNNAMED):
            yield Finding(
                f"topic {topic}",
                f"of its events {events} came with a field no contract names, the last within a day; it was dropped",
                "name it in the contract, or take it out of publication and connector (`promptsales connectors apply`)",
            )


def _slot(found: Following) -> Iterator[Finding]:
    name = found.status.connector
    again = (
        f"run `promptsales connectors snapshot {name}`: it reads all anew, under a new epoch, counting nothing twice"
    )
    if found.slot is None:
        yield Finding(f"slot {name}", "is gone, and with it the changes since", again)
    elif found.slot.wal_status == "lost":
        yield Finding(f"slot {name}", "is lost: the source has let go of log that was not read", again)
    elif found.slot.is_losing:
        yield Finding(f"slot {name}", "is lost at the source's next checkpoint, unless it is read before", _IN_TIME)
    else:
        yield from _cap(found.slot)


def _cap(slot: Slot) -> Iterator[Finding]:
    if slot.cap_bytes is None:
        yield Finding(
            f"slot {slot.slot}",
            "may keep any amount of the source's log: its disk can fill",
            "set max_slot_wal_keep_size on the source, e.g. 10GB",
        )
    elif slot.kept_bytes > _NEAR * slot.cap_bytes:
        urgency = "lost soon" if slot.kept_bytes > _CLOSE * slot.cap_bytes else "behind"
        share = f"{slot.kept_bytes / slot.cap_bytes:.0%} of the log it may keep"
        yield Finding(f"slot {slot.slot}", f"is {urgency}: {share}", _IN_TIME)


def _origin(settings: Settings, found: Following) -> Iterator[Finding]:
    name = found.status.connector
    with connected(settings, "warehouse", patience="look") as warehouse:
        known = warehouse.execute("select system_identifier from ops.connector where connector = %s", [name]).fetchone()
    if known and known[0] != connectors.read_system_identifier(settings, name):
        yield Finding(
            f"connector {name}",
            "its source is another cluster than the one it was applied to, whose log may count from anywhere",
            f"run `promptsales connectors snapshot {name}`: a new epoch ranks above all that came before",
        )


def find_absent_columns(warehouse: psycopg.Connection) -> Iterator[Finding]:
    """Return a finding for each table whose events lacked columns."""
    tables = {contract.topic: contract for contract in stream_contracts().values()}
    for one in absent_columns.read_marked_topics(warehouse):
        contract = tables.get(one.topic)
        where = f"table {contract.layer}.{contract.table}" if contract else f"topic {one.topic}"
        yield Finding(
            where,
            f"{one.events} events came without {', '.join(one.columns)}, the last at {one.last_at}: rows keep the "
            "values they had, and new rows wait in quarantine",
            absent_columns.HOW_TO_FIX,
        )
