"""A person whose ids arrive by the stream is erased: whichever way a row takes, it arrives without these ids."""

import asyncio
import json
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, NamedTuple

import psycopg
import pytest

from promptsales.privacy import erasure
from promptsales.privacy.person import find
from promptsales.settings import Settings
from promptsales.specs.stream import stream_contracts
from promptsales.stream.audit import AuditResult, audit
from promptsales.stream.batch import Batch
from promptsales.stream.compare import prepare
from promptsales.stream.dead_letters import DeadLetter
from promptsales.stream.decode import Decoder, RowChange
from promptsales.stream.messages import Message
from promptsales.stream.repair import Repair, repair
from promptsales.stream.sink import Sink
from promptsales.stream.version import Version
from promptsales.stream.waive import waive
from promptsales.targets import InternalName
from tests.integration.privacy.test_erasure import NOBODY, whole
from tests.support import events, leads, systems
from tests.support.deciding import BY_HAND
from tests.support.streaming import wait

CONTRACTS = {name: stream_contracts()[name] for name in ("campaigns", "live_leads", "live_opportunities")}
DECODERS = {contract.topic: Decoder(contract) for contract in stream_contracts().values()}
READER: dict[str, InternalName] = {"promptads": "promptads_cdc", "promptcrm": "promptcrm_cdc"}
BACK = timedelta(hours=3)


class Ids(NamedTuple):
    """A user with a campaign, and a lead with a deal and a duplicate; no row has a later epoch."""

    user: uuid.UUID
    campaign: uuid.UUID
    lead: uuid.UUID
    duplicate: uuid.UUID
    deal: uuid.UUID
    epoch: int


def returned(connection: psycopg.Connection, query: str, *values: object) -> uuid.UUID:
    (row,) = connection.execute(query.encode(), values).fetchall()
    return uuid.UUID(str(row[0]))


@pytest.fixture
def ids(stack: Settings, admin: psycopg.Connection) -> Iterator[Ids]:
    """Write the rows at the sources, and load them into the warehouse by the audits."""
    systems.empty(stack)
    with psycopg.connect(stack.address("promptsales"), autocommit=True) as sales:
        user = returned(
            sales, "insert into promptsales.users (email, password_hash, role) "
                 "values ('ann@example.com', 'x', 'viewer') returning id")  # fmt: skip
    with psycopg.connect(stack.address("promptads"), autocommit=True) as ads:
        campaign = returned(
            ads, "insert into promptads.campaigns (user_id, name, objective, budget, status) "
                 "values (%s, 'c', 'conversions', 40, 'active') returning id", user)  # fmt: skip
    with psycopg.connect(stack.address("promptcrm"), autocommit=True) as crm:
        (lead,) = leads.add(crm, 1, email="ann@example.com")
        (duplicate,) = leads.add(crm, 1, email="bob@example.com")
        crm.execute("update crm.leads set merged_into_id = %s where id = %s", [lead, duplicate])
        stage = returned(
            crm, "insert into crm.pipeline_stages (pipeline_code, name, position, default_probability) "
                 "values ('erased', 'open', 1, 0.2) returning id")  # fmt: skip
        deal = returned(
            crm, "insert into crm.opportunities (owner_user_id, name, stage_id, amount, source_lead_id) "
                 "values (gen_random_uuid(), 'd', %s, 10, %s) returning id", stage, lead)  # fmt: skip
    # no event is on its way, so the audits need not wait for any
    admin.execute(
        "insert into ops.feed (feed, extraction, fence, complete_through) "
        "select name, 1, 1, now() + interval '10 minutes' from unnest(%s::text[]) name "
        "on conflict (feed) do update set extraction = 1, fence = 1, complete_through = excluded.complete_through",
        [list(CONTRACTS)],
    )
    for name in CONTRACTS:
        assert audited(stack, admin, name).repaired > 0
    ((epoch,),) = admin.execute("select coalesce(max(epoch), 1) from ops.connector").fetchall()
    yield Ids(user, campaign, lead, duplicate, deal, epoch)
    systems.empty(stack)


def audited(stack: Settings, admin: psycopg.Connection, name: str) -> AuditResult:
    contract = CONTRACTS[name]
    with (
        psycopg.connect(stack.address(READER[contract.source.system]), autocommit=True) as source,
        psycopg.connect(stack.address("warehouse"), autocommit=True) as warehouse,
    ):
        return audit(stack, contract, source, warehouse, BACK)


def erase(admin: psycopg.Connection, *persons: uuid.UUID) -> None:
    feeds = ("users", "leads")
    for feed, person in zip(feeds, persons, strict=True):
        erasure.erase(admin, find(admin, str(person), feed))


def send(stack: Settings, *messages: Message) -> None:
    """Apply messages through the sink, as the worker does."""
    decoded = [DECODERS[record.topic].decode(record) for record in messages]
    batch = Batch(
        tuple(change for change in decoded if isinstance(change, RowChange)),
        tuple(letter for letter in decoded if isinstance(letter, DeadLetter)),
        (),
    )

    async def run() -> None:
        async with await psycopg.AsyncConnection.connect(stack.address("warehouse"), autocommit=True) as connection:
            await Sink(connection, 14).apply(batch)

    asyncio.run(run())


def sent(stack: Settings, name: str, key: uuid.UUID) -> dict[str, Any]:
    """Return a row of the source in the form in which Debezium sends it."""
    contract = CONTRACTS[name]
    with psycopg.connect(stack.address(READER[contract.source.system]), autocommit=True) as source:
        source.execute("set time zone 'UTC'")
        columns = ", ".join(
            f"{column.origin}::text" if column.type.startswith("numeric") else column.origin
            for column in contract.columns
        )
        query = f"select to_jsonb(x)::text from (select {columns} from {contract.source.relation} where id = %s) x"  # noqa: S608
        (row,) = source.execute(query.encode(), [key]).fetchall()
    return dict(json.loads(row[0]))


def assert_nowhere(admin: psycopg.Connection, ids: Ids) -> None:
    text = whole(admin)
    assert [name for name in ("user", "lead") for form in forms(getattr(ids, name)) if form in text] == []
    names = admin.execute("""
        select (select array_agg(user_id) from core.campaigns),
               (select array_agg(distinct user_id) from core.campaigns_history),
               (select array_agg(lead_id) from realtime.live_leads),
               (select array_agg(merged_into_id) from realtime.live_leads),
               (select array_agg(source_lead_id) from realtime.live_opportunities)
    """).fetchall()
    assert names == [([NOBODY], [NOBODY], [ids.duplicate], [NOBODY], [NOBODY])]


def message(op: str, after: dict[str, Any] | None, lsn: int, **more: Any) -> Message:
    """Return an event of the current time."""
    return events.message(op, after, lsn, at_us=time.time_ns() // 1000, **more)


def forms(key: uuid.UUID) -> tuple[str, str]:
    """Return an id as text and as it appears in bytes."""
    return str(key), str(key).encode().hex()


def test_the_audit_leaves_an_erased_person_out(stack: Settings, admin: psycopg.Connection, ids: Ids) -> None:
    erase(admin, ids.user, ids.lead)
    with psycopg.connect(stack.address("promptads"), autocommit=True) as ads:
        ads.execute("update promptads.campaigns set budget = 41")
    with psycopg.connect(stack.address("promptcrm"), autocommit=True) as crm:
        crm.execute("update crm.leads set status = 'working'")
        crm.execute("update crm.opportunities set amount = 11")
    results = {name: audited(stack, admin, name) for name in CONTRACTS}
    assert {name: (result.repaired, result.left, result.set_aside) for name, result in results.items()} == {
        "campaigns": (1, (), ()), "live_leads": (1, (), ()), "live_opportunities": (1, (), ()),
    }  # fmt: skip
    assert_nowhere(admin, ids)
    assert admin.execute(
        "select c.budget, l.status, o.amount "
        "from core.campaigns c, realtime.live_leads l, realtime.live_opportunities o"
    ).fetchall() == [(41, "working", 11)]
    # there is nothing left to repair, in any hour
    assert {audited(stack, admin, name).unequal_hours for name in CONTRACTS} == {0}


@pytest.mark.parametrize("operation", ["u", "r"], ids=["event or replay", "snapshot of a new epoch"])
def test_an_event_names_nobody(stack: Settings, admin: psycopg.Connection, ids: Ids, operation: str) -> None:
    erase(admin, ids.user, ids.lead)
    epoch = ids.epoch + (operation == "r")
    keys = {"campaigns": ids.campaign, "live_leads": ids.duplicate, "live_opportunities": ids.deal}
    rows = [(CONTRACTS[name].topic, sent(stack, name, key)) for name, key in keys.items()]
    rows.append((CONTRACTS["live_leads"].topic, sent(stack, "live_leads", ids.lead)))
    send(stack, *(message(operation, row, 10**9, topic=topic, epoch=epoch) for topic, row in rows))
    assert_nowhere(admin, ids)
    delete = message("d", None, 10**9 + 1, topic=rows[-1][0], before=rows[-1][1], epoch=epoch)
    send(stack, delete)
    assert_nowhere(admin, ids)
    # a bad version, its release by hand, and the next version
    (topic, row), *_ = rows
    send(stack, message("u", {**row, "budget": "-1"}, 10**9 + 2, topic=topic, epoch=epoch))
    assert_nowhere(admin, ids)
    (waiting,) = admin.execute(
        "select quarantine_id, payload ->> 'user_id' from ops.quarantine where released_at is null"
    ).fetchall()
    assert waiting[1] == str(NOBODY)
    waive(stack, CONTRACTS["campaigns"], waiting[0], BY_HAND)
    assert admin.execute("select budget from core.campaigns").fetchall() == [(-1,)]
    assert_nowhere(admin, ids)


def test_a_repair_that_was_read_before_names_nobody(stack: Settings, admin: psycopg.Connection, ids: Ids) -> None:
    row = sent(stack, "campaigns", ids.campaign)
    lead = sent(stack, "live_leads", ids.lead)
    erase(admin, ids.user, ids.lead)
    newer, now_us = Version(ids.epoch + 1, 5, 5, is_snapshot=False), time.time_ns() // 1000
    values = {"campaign_id": row["id"], "user_id": row["user_id"], "name": "x" * 300}
    repairs = [Repair(row["id"], row, newer, now_us), Repair(row["id"], {**row, "name": "x" * 300}, newer, now_us,
                                                             json.dumps(values))]  # fmt: skip
    for prepared in repairs:
        asyncio.run(repair(stack, CONTRACTS["campaigns"], [prepared]))
    gone = Repair(lead["id"], lead, newer, now_us)
    assert asyncio.run(repair(stack, CONTRACTS["live_leads"], [gone])) == []
    assert admin.execute(
        "select rules, payload ->> 'user_id' from ops.quarantine where released_at is null"
    ).fetchall() == [(["value_too_long"], str(NOBODY))]
    assert_nowhere(admin, ids)


def test_a_dead_letter_that_names_them_keeps_no_bytes(stack: Settings, admin: psycopg.Connection, ids: Ids) -> None:
    erase(admin, ids.user, ids.lead)
    row = sent(stack, "campaigns", ids.campaign)
    topic = CONTRACTS["campaigns"].topic
    bad = message("u", {**row, "budget": "many"}, 10**9, topic=topic)
    fine = message("u", {**row, "user_id": str(ids.campaign), "budget": "many"}, 10**9, topic=topic)
    send(stack, bad._replace(offset=1), fine._replace(offset=2))
    assert admin.execute(
        "select message_offset, message_key is null, message_value is null from ops.dead_letter order by 1"
    ).fetchall() == [(1, True, True), (2, False, False)]
    assert_nowhere(admin, ids)


def test_a_short_id_on_the_list_is_nobody_s_elsewhere(stack: Settings, admin: psycopg.Connection, ids: Ids) -> None:
    """A feed with numeric keys may list ``7``: row 7 of another table is a different row."""
    admin.execute("insert into ops.suppression (feed, key) values ('users', '7')")
    restated = "insert into ops.restatement (mart, grain, old_values, new_values) values ('m', %s::jsonb, '{}', '{}')"
    admin.execute(restated, ['{"clicks": 7}'])
    admin.execute(restated, [json.dumps({"user_id": str(ids.user)})])
    send(stack, message("c", events.metric(7, str(ids.campaign)), 10**9, epoch=ids.epoch))
    erase(admin, ids.user, ids.lead)
    assert admin.execute("select metric_id, clicks from core.campaign_metrics").fetchall() == [(7, 10)]
    assert admin.execute("select grain from ops.restatement where mart = 'm'").fetchall() == [({"clicks": 7},)]
    with (
        psycopg.connect(stack.address("promptads_cdc"), autocommit=True) as source,
        psycopg.connect(stack.address("warehouse"), autocommit=True) as warehouse,
    ):
        prepare(source, warehouse)
        ((listed,),) = source.execute("select current_setting('promptsales.erased')").fetchall()
    assert set(listed.split(",")) == {str(ids.user), str(ids.lead)}


def test_a_short_id_blanks_no_dead_letter(stack: Settings, admin: psycopg.Connection, ids: Ids) -> None:
    admin.execute("insert into ops.suppression (feed, key) values ('users', '7')")
    row = {**sent(stack, "campaigns", ids.campaign), "budget": "many7"}
    send(stack, message("u", row, 10**9, topic=CONTRACTS["campaigns"].topic))
    assert admin.execute("select message_value is null from ops.dead_letter").fetchall() == [(False,)]


def test_a_batch_in_flight_and_an_erasure_exclude_one_another(
    stack: Settings, admin: psycopg.Connection, ids: Ids
) -> None:
    """Whichever commits first: the batch waits and names nobody, or the erasure finds what the batch wrote."""
    row, topic = sent(stack, "campaigns", ids.campaign), CONTRACTS["campaigns"].topic
    second_row = {**row, "id": str(uuid.uuid4())}
    changed, new = (
        message("u", {**campaign, "budget": "42"}, 10**9, topic=topic, epoch=ids.epoch)
        for campaign in (row, second_row)
    )
    with ThreadPoolExecutor() as pool, psycopg.connect(stack.address("warehouse")) as held:
        # the sink's transaction waits for this row in the middle of its batch
        held.execute("select from core.campaigns for update")
        batch = pool.submit(send, stack, changed, new)
        wait(lambda: waiting(admin, "with src as"), 20)
        with psycopg.connect(stack.address("warehouse_admin"), autocommit=True) as another:
            erasing = pool.submit(erase, another, ids.user, ids.lead)
            wait(lambda: waiting(admin, "pg_advisory_xact_lock"), 20)
            second = pool.submit(
                send, stack, message("u", {**row, "budget": "43"}, 10**9 + 1, topic=topic, epoch=ids.epoch)
            )
            wait(lambda: waiting(admin, "pg_advisory_xact_lock_shared"), 20)
            held.commit()
            for work in (batch, erasing, second):
                work.result(60)
    assert admin.execute("select user_id, budget from core.campaigns order by budget").fetchall() == [
        (NOBODY, 42), (NOBODY, 43),
    ]  # fmt: skip
    assert str(ids.user) not in whole(admin)


def waiting(admin: psycopg.Connection, statement: str) -> bool:
    """Return whether a session that runs such a statement waits for a lock."""
    query = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and strpos(query, %s) > 0"
    return admin.execute(query, [statement]).fetchone() != (0,)
