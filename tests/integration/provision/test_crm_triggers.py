"""The sources' triggers maintain updated_at, the stage log and closed_at."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg import sql

from tests.integration.provision.conftest import Connect

OWNER = uuid.uuid4()
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)

_TOUCHED = """
select c.relname,
       exists (select from pg_index i join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0]
               join pg_attribute b on b.attrelid = c.oid and b.attnum = i.indkey[1]
               where i.indrelid = c.oid and a.attname = 'updated_at' and b.attname = 'id'),
       array(select t.tgname::text from pg_trigger t where t.tgrelid = c.oid and t.tgname like 'zz_touch_%' order by 1),
       obj_description(c.oid) is not null
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname in ('crm', 'promptsales', 'promptads') and c.relkind = 'r'
order by 1
"""


@pytest.fixture
def crm_owner(crm_copy: Connect) -> Iterator[psycopg.Connection]:
    with crm_copy("promptcrm_owner") as connection:
        connection.execute(
            "truncate crm.accounts, crm.contacts, crm.leads, crm.opportunities, crm.pipeline_stages cascade"
        )
        yield connection


@pytest.fixture
def stages(crm_owner: psycopg.Connection) -> dict[str, uuid.UUID]:
    names = ("name", "position", "default_probability", "is_closed", "is_won")
    rows = [("open", 1, 0.2, False, False), ("won", 2, 1, True, True), ("lost", 3, 0, True, False)]
    return {row[0]: insert(crm_owner, "pipeline_stages", dict(zip(names, row, strict=True))) for row in rows}


def only(connection: psycopg.Connection, statement: str, *values: Any) -> Any:
    row = connection.execute(statement.encode(), values).fetchone()
    assert row
    return row[0]


def insert(connection: psycopg.Connection, table: str, row: dict[str, Any]) -> uuid.UUID:
    statement = sql.SQL("insert into {} ({}) values ({}) returning id").format(
        sql.Identifier("crm", table),
        sql.SQL(", ").join(map(sql.Identifier, row)),
        sql.SQL(", ").join(map(sql.Placeholder, row)),
    )
    inserted = connection.execute(statement, row).fetchone()
    assert inserted
    return uuid.UUID(str(inserted[0]))


def lead(connection: psycopg.Connection, **values: Any) -> uuid.UUID:
    return insert(connection, "leads", {"owner_user_id": OWNER, "updated_at": LONG_AGO, **values})


def stamp(connection: psycopg.Connection, key: uuid.UUID) -> datetime:
    return only(connection, "select updated_at from crm.leads where id = %s", key)  # type: ignore[no-any-return]


def deal(connection: psycopg.Connection, stage: uuid.UUID, **values: Any) -> uuid.UUID:
    return insert(
        connection, "opportunities", {"owner_user_id": OWNER, "name": "deal", "stage_id": stage, "amount": 10, **values}
    )


@pytest.mark.parametrize("fixture", ["crm_copy", "promptsales_copy"])
def test_every_table_is_touched_and_has_its_cursor(request: pytest.FixtureRequest, fixture: str) -> None:
    with request.getfixturevalue(fixture)("postgres") as admin:
        tables = admin.execute(_TOUCHED).fetchall()
    assert len(tables) == 7
    for table, has_cursor, triggers, has_comment in tables:
        log = table == "opportunity_stage_history"
        assert (table, has_cursor, has_comment) == (table, True, True)
        assert triggers == (["zz_touch_insert"] if log else ["zz_touch_insert", "zz_touch_update"]), table


def test_insert_is_stamped_whatever_the_application_says(crm_owner: psycopg.Connection) -> None:
    before = only(crm_owner, "select clock_timestamp()")
    assert before < stamp(crm_owner, lead(crm_owner)) < before + timedelta(seconds=5)


def test_update_moves_the_stamp_and_only_a_real_one(crm_owner: psycopg.Connection) -> None:
    key = lead(crm_owner, score=1)
    first = stamp(crm_owner, key)
    crm_owner.execute("update crm.leads set score = 1 where id = %s", [key])
    assert stamp(crm_owner, key) == first
    crm_owner.execute("update crm.leads set score = 2, updated_at = '2099-01-01' where id = %s", [key])
    assert first < stamp(crm_owner, key) < first + timedelta(seconds=5)


def test_stamps_rise_within_a_transaction_and_when_the_clock_steps_back(crm_owner: psycopg.Connection) -> None:
    key = lead(crm_owner)
    with crm_owner.transaction():
        stamps = []
        for score in range(3):
            crm_owner.execute("update crm.leads set score = %s where id = %s", [score, key])
            stamps.append(stamp(crm_owner, key))
    assert stamps == sorted(set(stamps))
    ahead = datetime(2099, 1, 1, tzinfo=UTC)
    with crm_owner.transaction():
        crm_owner.execute("alter table crm.leads disable trigger zz_touch_update")
        crm_owner.execute("update crm.leads set updated_at = %s where id = %s", [ahead, key])
        crm_owner.execute("alter table crm.leads enable trigger zz_touch_update")
    crm_owner.execute("update crm.leads set score = 99 where id = %s", [key])
    assert stamp(crm_owner, key) == ahead + timedelta(microseconds=1)


def history(connection: psycopg.Connection, key: uuid.UUID) -> list[tuple[Any, ...]]:
    query = """
        select from_stage_id, to_stage_id, amount_at_change, changed_by_user_id
        from crm.opportunity_stage_history where opportunity_id = %s order by id
    """
    return connection.execute(query, [key]).fetchall()


def test_every_move_is_logged_once(crm_owner: psycopg.Connection, stages: dict[str, uuid.UUID]) -> None:
    key, user = deal(crm_owner, stages["open"]), uuid.uuid4()
    crm_owner.execute("update crm.opportunities set amount = 20 where id = %s", [key])
    crm_owner.execute("update crm.opportunities set stage_id = stage_id where id = %s", [key])
    with crm_owner.transaction():
        crm_owner.execute("select set_config('crm.user_id', %s, true)", [str(user)])
        crm_owner.execute("update crm.opportunities set stage_id = %s where id = %s", [stages["won"], key])
    assert history(crm_owner, key) == [(None, stages["open"], 10, None), (stages["open"], stages["won"], 20, user)]


def test_log_says_when_the_stage_was_entered(crm_owner: psycopg.Connection, stages: dict[str, uuid.UUID]) -> None:
    key = deal(crm_owner, stages["open"], created_at=LONG_AGO, stage_entered_at=LONG_AGO)
    later = LONG_AGO + timedelta(days=3)
    crm_owner.execute(
        "update crm.opportunities set stage_id = %s, stage_entered_at = %s where id = %s", [stages["lost"], later, key]
    )
    times = crm_owner.execute("select changed_at from crm.opportunity_stage_history order by id").fetchall()
    assert times == [(LONG_AGO,), (later,)]
    assert only(crm_owner, "select closed_at from crm.opportunities where id = %s", key) == later


def test_a_given_date_is_kept_where_it_equals_the_one_before(
    crm_owner: psycopg.Connection, stages: dict[str, uuid.UUID]
) -> None:
    keys = [deal(crm_owner, stages["open"], created_at=LONG_AGO, stage_entered_at=LONG_AGO) for _ in range(2)]
    move = "update crm.opportunities set stage_id = %s, stage_entered_at = %s"
    with crm_owner.transaction():
        crm_owner.execute(move, [stages["won"], LONG_AGO])
        crm_owner.execute(move, [stages["lost"], LONG_AGO])
        moved = crm_owner.execute("select stage_entered_at, closed_at from crm.opportunities").fetchall()
        assert moved == [(LONG_AGO, LONG_AGO)] * 2
        crm_owner.execute("update crm.opportunities set stage_id = %s where id = %s", [stages["open"], keys[0]])
    entered = crm_owner.execute("select changed_at = %s from crm.opportunity_stage_history order by id", [LONG_AGO])
    assert [is_given for (is_given,) in entered] == [True] * 6 + [False]


def test_closed_at_follows_the_stage(crm_owner: psycopg.Connection, stages: dict[str, uuid.UUID]) -> None:
    key = deal(crm_owner, stages["open"], closed_at=datetime(2098, 1, 1, tzinfo=UTC))

    def closed_after(stage: str) -> datetime | None:
        move = "update crm.opportunities set stage_id = %s where id = %s returning closed_at"
        return only(crm_owner, move, stages[stage], key)  # type: ignore[no-any-return]

    assert only(crm_owner, "select closed_at from crm.opportunities where id = %s", key) is None
    won = closed_after("won")
    assert won is not None
    assert closed_after("lost") == won
    assert closed_after("open") is None
    again = closed_after("won")
    assert again is not None
    assert again > won


@pytest.mark.parametrize(
    "statement",
    [
        "insert into crm.opportunity_stage_history (opportunity_id, to_stage_id, changed_at) "
        "select id, stage_id, now() from crm.opportunities",
        "update crm.opportunity_stage_history set amount_at_change = 1",
        "delete from crm.opportunity_stage_history",
        "delete from crm.pipeline_stages",
    ],
)
def test_logs_and_stages_are_not_written_by_hand(
    crm_owner: psycopg.Connection, stages: dict[str, uuid.UUID], statement: str
) -> None:
    deal(crm_owner, stages["open"])
    with pytest.raises(psycopg.errors.RestrictViolation):
        crm_owner.execute(statement.encode())


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"status": "converted"}, "leads_converted_check"),
        ({"status": "new", "disqualified_at": LONG_AGO}, "leads_disqualified_check"),
        ({"status": "converted", "converted_at": datetime(2098, 1, 1, tzinfo=UTC)}, "leads_contact_check"),
        ({"qualified_at": LONG_AGO}, "leads_milestones_check"),
        ({"status": "lost"}, "leads_status_check"),
        ({"score": 101}, "leads_score_check"),
        ({"country_code": "us"}, "leads_country_code_check"),
    ],
)
def test_leads_that_cannot_be(crm_owner: psycopg.Connection, values: dict[str, Any], constraint: str) -> None:
    with pytest.raises(psycopg.errors.CheckViolation) as caught:
        lead(crm_owner, **values)
    assert caught.value.diag.constraint_name == constraint


def test_an_erased_contact_needs_no_name(crm_owner: psycopg.Connection) -> None:
    key = insert(crm_owner, "contacts", {"owner_user_id": OWNER, "last_name": "Doe"})
    with pytest.raises(psycopg.errors.CheckViolation):
        crm_owner.execute("update crm.contacts set last_name = null where id = %s", [key])
    crm_owner.execute("update crm.contacts set last_name = null, deleted_at = now() where id = %s", [key])
