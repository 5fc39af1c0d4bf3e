"""Files of a CRM with dates and no times: two stages entered on one date, deals closed on the date of the last one."""

from typing import Any

import psycopg

from promptsales.load.steps import load
from promptsales.specs.feed import contract
from tests.integration.marts.conftest import Build
from tests.integration.public_shapes.conftest import FILES, Show
from tests.support.core_rows import uid
from tests.support.snapshots import file_rows, snapshot

ANNA, BEN = uid("anna"), uid("ben")
_STAGES = """
    insert into crm.pipeline_stages (id, pipeline_code, name, position, default_probability, is_closed, is_won) values
    (%s, 'import', 'Prospecting', 1, 0.1, false, false), (%s, 'import', 'Engaging', 2, 0.4, false, false),
    (%s, 'import', 'Proposal', 3, 0.6, false, false), (%s, 'import', 'Won', 4, 1, true, true),
    (%s, 'import', 'Lost', 5, 0, true, false)
"""
_DEAL = """
    insert into crm.opportunities (id, name, owner_user_id, account_id, amount, created_at, lost_reason, stage_id,
                                   stage_entered_at)
    values (%(id)s, %(deal)s, %(owner)s, %(account)s, %(amount)s, %(created)s, %(lost_reason)s, %(stage)s, %(entered)s)
"""
_MOVE = """
    update crm.opportunities set stage_id = %(stage)s, stage_entered_at = %(entered)s, closed_at = %(closed)s
    where id = %(id)s
"""


def import_files(crm: psycopg.Connection) -> None:
    """Write the files to the CRM as an importer does: each deal in its first stage, then its moves in order."""
    crm.execute("set time zone 'UTC'")
    crm.execute("truncate crm.pipeline_stages cascade")
    crm.execute(_STAGES, [uid(name) for name in ("Prospecting", "Engaging", "Proposal", "Won", "Lost")])
    crm.execute("insert into crm.accounts (id, owner_user_id, name) values (%s, %s, 'acme')", [uid("acme"), ANNA])
    deals = {row["deal"]: row for row in file_rows(FILES / "crm_deals.csv")}
    moved: set[str | None] = set()
    for move in file_rows(FILES / "crm_moves.csv"):
        deal = deals[move["deal"]]
        ids = {"id": uid(deal["deal"]), "owner": uid(deal["agent"]), "account": uid(deal["account"])}
        crm.execute(_MOVE if deal["deal"] in moved else _DEAL, {**deal, **move, **ids, "stage": uid(move["stage"])})
        moved.add(deal["deal"])


def test_deals_with_dates_only(
    crm: psycopg.Connection, source: psycopg.Connection, loader: psycopg.Connection, run: Build, show: Show
) -> None:
    import_files(crm)
    results = [load(contract(name), source, loader, None, "test") for name in ("pipeline_stages", "opportunities")]
    snapshot(crm, loader, "opportunity_stage_history")

    assert [(result.extracted, result.inserted, result.quarantined) for result in results] == [(5, 5, 0), (5, 5, 0)]
    _assert_core(loader)
    run("stage_velocity_monthly", "sales_performance_monthly", "lost_reason_monthly", "sales_pipeline_daily")
    # Prospecting took 2, 1, 4 and 0 days; Engaging ended twice on the date on which it began
    assert show("stage_velocity_monthly") == sorted([
        ("2024-03-01", uid("Prospecting"), "import", "Prospecting", "1", "4", "4", "1.50", "3.40", "1.000000"),
        ("2024-03-01", uid("Engaging"), "import", "Engaging", "2", "2", "1", "0.00", "0.00", "0.500000"),
        ("2024-03-01", uid("Proposal"), "import", "Proposal", "3", "1", "1", "2.00", "2.00", "1.000000"),
    ])  # fmt: skip
    # 4, 1 and 0 days to close
    assert show("sales_performance_monthly") == [(
        "2024-03-01", ANNA, "import", "USD", "2", "1", "1080.00", "500.00", "0.666667", "0.683544", "1.666667", "1.00"
    )]  # fmt: skip
    assert show("lost_reason_monthly") == [("2024-03-01", "price", "USD", "1", "500.00")]
    assert show("sales_pipeline_daily") == sorted(map(_pipeline_row, PIPELINE), key=lambda row: tuple(map(str, row)))


# a deal that moves twice on one date ends it in the later stage, and a deal that closes on it is no longer open
PIPELINE: list[tuple[Any, ...]] = [
    ("04", "Prospecting", ANNA, 1, "2", "1500.00", "150.0000", "0.000000"),
    ("05", "Prospecting", ANNA, 1, "1", "1000.00", "100.0000", "1.000000"),
    ("05", "Prospecting", BEN, 1, "1", "250.50", "25.0500", "0.000000"),
    ("06", "Proposal", ANNA, 3, "1", "1000.00", "600.0000", "2.000000"),
    ("06", "Prospecting", BEN, 1, "1", "250.50", "25.0500", "1.000000"),
    ("07", "Proposal", ANNA, 3, "1", "1000.00", "600.0000", "3.000000"),
    ("07", "Prospecting", BEN, 1, "1", "250.50", "25.0500", "2.000000"),
    ("08", "Prospecting", BEN, 1, "2", "250.50", "25.0500", "1.500000"),
    ("09", "Prospecting", BEN, 1, "1", "0.00", "0.0000", "1.000000"),
    ("09", "Engaging", BEN, 2, "1", "250.50", "100.2000", "4.000000"),
    ("10", "Prospecting", BEN, 1, "1", "0.00", "0.0000", "2.000000"),
    ("10", "Engaging", BEN, 2, "1", "250.50", "100.2000", "5.000000"),
]


def _pipeline_row(row: tuple[Any, ...]) -> tuple[Any, ...]:
    day, stage, owner, position, *figures = row
    return (f"2024-03-{day}", uid(stage), owner, "USD", "import", stage, str(position), *figures)


def _assert_core(warehouse: psycopg.Connection) -> None:
    """Check that core has the files' dates, each at midnight UTC, and the moves in the files' order."""
    warehouse.execute("set time zone 'UTC'")
    moves = warehouse.execute("""
        select opportunity_id::text, to_stage_id::text, changed_at::text
        from core.opportunity_stage_history order by change_id
    """).fetchall()
    assert moves == [
        (uid(move["deal"]), uid(move["stage"]), f"{move['entered']} 00:00:00+00")
        for move in file_rows(FILES / "crm_moves.csv")
    ]
    closed = warehouse.execute("select opportunity_id::text, closed_at::text from core.opportunities").fetchall()
    assert dict(closed) == {
        uid(deal["deal"]): deal["closed"] and f"{deal['closed']} 00:00:00+00"
        for deal in file_rows(FILES / "crm_deals.csv")
    }
