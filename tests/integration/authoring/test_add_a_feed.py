"""The steps of docs/tutorial/first-feed.md add a feed, in a copy of the files and on real servers."""

import json
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import yaml
from psycopg.conninfo import make_conninfo

from promptsales.settings import ROOT, Settings
from promptsales.specs.feed import Contract
from tests.integration.authoring.conftest import Command
from tests.support import leads

TABLE = """
    create table crm.visits (
        id uuid primary key default gen_random_uuid(),
        contact_id uuid,
        email varchar(320),
        first_name varchar(100),
        notes text,
        country_code char(2),
        outcome varchar(20) not null check (outcome in ('sold', 'not sold')),
        amount numeric(12,2),
        seen_at timestamp,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        deleted_at timestamptz
    );
    comment on table crm.visits is 'One visit of a sales person.';
    create index visits_cursor on crm.visits (updated_at, id);
    create trigger zz_touch before insert or update on crm.visits for each row execute function crm.set_updated_at();
    insert into crm.visits (email, first_name, outcome, amount, seen_at)
    values ('Ann@Example.com', 'Ann', 'sold', 9.90, '2026-01-02 03:04:05'), (null, null, 'not sold', null, null);
"""


@pytest.fixture
def visits(stack: Settings, crm: psycopg.Connection, admin: psycopg.Connection) -> Iterator[psycopg.Connection]:
    """Create the new table at the source; afterwards drop it and everything that was created for it."""
    crm.execute(TABLE)
    yield crm
    with psycopg.connect(make_conninfo(stack.address("sources_admin"), dbname="promptcrm"), autocommit=True) as source:
        source.execute("drop table crm.visits cascade")
    admin.execute("drop table if exists core.visits, staging.promptcrm__visits, migrations.core_visits")
    admin.execute("delete from migrations.applied where line = 'core_visits'")
    admin.execute("delete from ops.staleness where name = 'visits'")


def test_a_draft_goes_to_a_folder_of_ones_own(promptsales: Command, copy: Path, visits: psycopg.Connection) -> None:
    printed = promptsales("contracts", "new", "crm.visits")
    own = copy.parent / "own" / "visits"
    written = promptsales("contracts", "new", "crm.visits", "--folder", str(own))
    assert written.stdout.splitlines() == [
        *(str(own / name) for name in ("contract.yml", "table.sql", "expectations.yml")),
        "confirm every guess, then move the folder to warehouse/core/visits, run `promptsales provision` and "
        "`promptsales load visits`",
    ]
    assert (own / "contract.yml").read_text() == printed.stdout
    assert not (copy / "warehouse" / "core" / "visits").exists()


def test_a_new_feed_needs_no_python(
    promptsales: Command, copy: Path, visits: psycopg.Connection, admin: psycopg.Connection
) -> None:
    # step 1: the draft
    printed = promptsales("contracts", "new", "crm.visits")
    assert (printed.returncode, "key: visit_id" in printed.stdout) == (0, True), printed.stderr
    assert not (copy / "warehouse" / "core" / "visits").exists()
    assert promptsales("contracts", "new", "crm.visits", "--write").returncode == 0
    assert (copy / "warehouse" / "core" / "visits" / "contract.yml").read_text() == printed.stdout
    assert "already exists" in promptsales("contracts", "new", "crm.visits", "--write").stderr
    # step 3: what a reviewer sees
    diff = promptsales("contracts", "diff", "--base", "main", "--json")
    assert (diff.returncode, json.loads(diff.stdout)) == (
        0,
        [{"feed": "visits", "effect": "note", "what": "new feed"}],
    )
    # steps 4 and 5
    provisioned = promptsales("provision", "--json")
    assert provisioned.returncode == 0, provisioned.stderr
    assert [change["what"] for change in json.loads(provisioned.stdout)] == [
        "view etl.visits created",
        "warehouse/core/visits/table.sql applied",
        "staging.promptcrm__visits created",
        *[what for what in _whats(provisioned.stdout) if what.startswith("core.visits:")],
        "ops.staleness: 1 limits written",
    ]
    loaded = promptsales("load", "visits", "--json")
    assert loaded.returncode == 0, loaded.stderr
    (result,) = json.loads(loaded.stdout)
    assert (result["extracted"], result["inserted"], result["checks_failed"]) == (2, 2, 0)

    rows = admin.execute(
        "select outcome, amount::text, seen_at::text, length(email_hmac), is_email_valid, pii_kid "
        "from core.visits order by 1"
    ).fetchall()
    assert rows == [
        ("not sold", None, None, None, None, 1),
        ("sold", "9.90", "2026-01-02 03:04:05+00", 32, True, 1),
    ]
    columns = admin.execute("select attname from pg_attribute where attrelid = 'core.visits'::regclass and attnum > 0")
    assert {name for (name,) in columns}.isdisjoint({"first_name", "notes", "country_code", "email"})
    # and the source's DAG has the feed's three tasks without a change
    assert _tasks(promptsales) >= {"visits.extract", "visits.check", "visits.publish"}


def test_the_finished_contract_of_the_tutorial_is_what_the_draft_becomes() -> None:
    page = (ROOT / "docs" / "tutorial" / "first-feed.md").read_text(encoding="utf-8")
    text = page.split("A finished contract looks like this:")[1].split("```yaml\n")[1].split("```")[0]
    finished = Contract.model_validate(yaml.safe_load(text))
    assert [column.name for column in finished.columns] == [
        "visit_id", "contact_id", "email_hmac", "is_email_valid", "outcome", "amount",
        "created_at", "updated_at", "deleted_at", "pii_kid",
    ]  # fmt: skip
    assert (finished.cursor, finished.key, finished.unread) == (
        "updated_at", "visit_id", ("first_name", "notes", "country_code"),
    )  # fmt: skip


def _whats(stdout: str) -> list[str]:
    return [change["what"] for change in json.loads(stdout)]


def _tasks(promptsales: Command) -> set[str]:
    code = "from airflow.dag_processing.dagbag import DagBag; print(*DagBag('dags').dags['promptcrm_hourly'].task_ids)"
    return set(promptsales(code=code).stdout.splitlines()[-1].split())


def test_a_view_taken_by_cascade_blocks_its_own_feed_alone(
    promptsales: Command, copy: Path, visits: psycopg.Connection, crm: psycopg.Connection
) -> None:
    promptsales("contracts", "new", "crm.visits", "--write")
    assert promptsales("provision").returncode == 0
    leads.add(crm, 1)
    visits.execute("alter table crm.visits drop column amount cascade")
    blocked = promptsales("load", "visits")
    assert blocked.returncode == 1
    assert blocked.stderr.strip() == (
        "error: feed visits: etl.visits does not exist (a drop with CASCADE removes it), and crm.visits has no "
        "amount; add it again or remove it from the contract, then run `promptsales provision` "
        "(docs/how-to/source-changes.md)"
    )
    assert promptsales("load", "leads").returncode == 0

    # as docs/how-to/source-changes.md says: remove the column from the contract, provision, and the feed loads again
    contract = copy / "warehouse" / "core" / "visits" / "contract.yml"
    lines = [line for line in contract.read_text().splitlines(keepends=True) if "name: amount" not in line]
    contract.write_text("".join(lines))
    assert promptsales("provision").returncode == 0
    assert promptsales("load", "visits").returncode == 0
