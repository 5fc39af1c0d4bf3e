"""What the pages show, compared with the books: overview, a table, loads, quarantine and its release."""

import html
import re
import subprocess
import sys
import uuid
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from promptsales.load.steps import load
from promptsales.monitoring import books as books_findings
from promptsales.settings import ROOT, Settings
from promptsales.specs.feed import contract
from promptsales.webui.reading import SQL
from tests.integration.webui.conftest import Browser
from tests.support import leads
from tests.support.events import METRICS, message, metric

LEADS = contract("leads")


def text_of(page: str) -> str:
    """Return the text of a page, without its tags."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page.replace("<wbr>", ""))).split())


def loaded(source: psycopg.Connection, warehouse: psycopg.Connection, run: str = "manual__1") -> None:
    load(LEADS, source, warehouse, None, f"airflow:promptcrm_hourly/{run}")


def test_the_overview_puts_what_is_wrong_first(
    books: psycopg.Connection, admin: psycopg.Connection, crm: psycopg.Connection, source: psycopg.Connection,
    viewer: Browser,
) -> None:  # fmt: skip
    leads.add(crm, 5)
    leads.add_bad(crm, 2)
    loaded(source, books)
    admin.execute("update ops.feed set complete_through = clock_timestamp() - interval '5 hours' where feed = 'leads'")
    findings = list(books_findings.find_in_books(books, "UTC"))
    assert [finding.where for finding in findings] == ["feed leads"]

    page = viewer.get("/").text
    text = text_of(page)
    assert f"1 finding {findings[0].where} {findings[0].what}" in text
    assert findings[0].todo in text
    assert re.findall(r'href="/warehouse/tables/([a-z_.]+)"', page)[1] == "core.leads"
    assert re.search(r"core\. leads stale 5 h( 00 min)? 2 h", text)
    assert '/warehouse/quarantine?feed=leads">2</a>' in page
    assert "/dags/promptcrm_hourly/runs/manual__1" in page


def test_a_table_shows_loads_checks_and_contract(
    books: psycopg.Connection, crm: psycopg.Connection, source: psycopg.Connection, viewer: Browser
) -> None:
    leads.add(crm, 4)
    loaded(source, books)
    leads.add_bad(crm, 3)
    loaded(source, books, "scheduled__2026-11-28T20:00:00+00:00")
    text = text_of(viewer.get("/tables/core.leads").text)
    assert "Loads 2 of 2" in text
    assert "created_after_updated A lead is created before it is changed. failed" in text
    assert "quarantined delta 7 0 0 3" in text
    assert "promptcrm: crm.leads → This table core.leads → Read by marts.lead_attribution" in text
    assert "email_hmac bytea direct email_hmac Keyed hash of the normalised e-mail address; 32 bytes." in text
    mart = text_of(viewer.get("/tables/marts.lead_attribution").text)
    assert "spark_jobs/lead_attribution.py" in mart
    assert "def transform(" in mart
    assert viewer.get("/tables/core.nothing").status_code == 404


def test_loads_are_filtered_and_the_command_prints_the_same(
    stack: Settings, books: psycopg.Connection, crm: psycopg.Connection, source: psycopg.Connection, viewer: Browser
) -> None:
    for number in range(3):
        leads.add(crm, number + 1)
        loaded(source, books, f"scheduled__{number}")
    leads.add_bad(crm, 1)
    loaded(source, books, "manual__9")
    assert "4 of 4" in viewer.get("/loads").text
    assert "3 of 3" in viewer.get("/loads?trigger=schedule").text
    assert "1 of 1" in viewer.get("/loads?state=quarantined&name=leads").text
    assert "none" in text_of(viewer.get("/loads?name=users").text)
    assert viewer.get("/loads?state=nonsense").status_code == 422
    command = [sys.executable, "-m", "promptsales.cli.main"]
    script = "from promptsales.cli.main import main; main()"
    listed = subprocess.run(
        [command[0], "-c", script, "loads", "leads", "--trigger", "schedule"],
        capture_output=True, text=True, check=True, cwd=ROOT,
    ).stdout  # fmt: skip
    assert listed.count("airflow:promptcrm_hourly") == 3
    assert "3 of 3 since" in listed


def test_quarantine_is_paged(books: psycopg.Connection, admin: psycopg.Connection, viewer: Browser) -> None:
    admin.execute("""
        insert into ops.quarantine (feed, key, extraction, rules, suite_checksum, payload, is_core_stale)
        select 'leads', n::text, 1, '{status_unknown}', 'x', jsonb_build_object('status', 'odd ' || n), false
        from generate_series(1, 112) n
    """)
    first, last = viewer.get("/quarantine?feed=leads&rule=status_unknown"), viewer.get("/quarantine?feed=leads&page=3")
    assert "50 of 112" in first.text
    assert "status = odd 1<" in first.text
    assert "101 to 112 of 112" in last.text
    assert 'name="row"' not in first.text  # a viewer has nothing to choose


def test_an_editor_releases_with_a_reason_and_a_viewer_does_not(
    books: psycopg.Connection, crm: psycopg.Connection, source: psycopg.Connection, viewer: Browser, editor: Browser
) -> None:
    released, other = leads.add_bad(crm, 2)
    loaded(source, books)
    numbers: dict[str, int] = dict(books.execute("select key, quarantine_id from ops.quarantine").fetchall())
    number = numbers[str(released)]
    page = text_of(viewer.get(f"/quarantine/{number}").text)
    assert "created_after_updated A lead is created before it is changed. updated_at =" in page
    assert "created_at = 2039-01-01 00:00:00Z" in page

    chosen = {"row": [str(number)], "reason": "agreed with Jane, jane@example.com"}
    assert viewer.post("/quarantine/release", chosen).status_code == 403
    assert editor.post("/quarantine/release", {**chosen, "reason": " x "}).status_code == 409
    nothing = editor.post("/quarantine/release", {"reason": "no row is chosen"})
    assert (nothing.status_code, "choose or fill in: row; then try again" in nothing.text) == (422, True)
    assert books.execute("select count(*) from ops.quarantine where is_waived").fetchone() == (0,)

    answer = editor.post("/quarantine/release", {**chosen, "row": [str(number), "999999"]})
    assert "Release: 1 of 2 done" in text_of(answer.text)
    assert books.execute("select action, feed, target, acted_by, reason from ops.manual_action").fetchall() == [
        ("release", "leads", str(number), "airflow:editor", "agreed with Jane, ***")
    ]
    assert "Released by airflow:editor" in text_of(viewer.get(f"/quarantine/{number}").text)
    loaded(source, books)
    assert leads.in_core(books).keys() == {released}
    assert leads.in_quarantine(books) == {other}


def test_a_dead_letter_is_replayed_or_dropped(
    books: psycopg.Connection, admin: psycopg.Connection, viewer: Browser, editor: Browser
) -> None:
    campaign = str(uuid.uuid4())
    admin.execute(
        "insert into ops.connector (connector, epoch, system_identifier) values ('promptads', 1, 'x')"
        " on conflict do nothing"
    )
    good, broken = message("c", metric(1, campaign)), message("c", metric(2, campaign))._replace(value=b"{")
    forged = message("c", metric(3, campaign), epoch=1_000_000)
    for offset, letter in enumerate((good, broken, forged)):
        admin.execute(
            "insert into ops.dead_letter (topic, partition, message_offset, message_key, message_value, reason, epoch)"
            " values (%s, 0, %s, %s, %s, 'a test', %s)",
            [METRICS, offset, letter.key, letter.value, letter.epoch],
        )
    everything = {"message": [f"{METRICS}/0/{offset}" for offset in range(3)], "reason": "the decoder was fixed"}
    assert viewer.post("/dead-letters", {**everything, "action": "replay"}).status_code == 403
    text = text_of(editor.post("/dead-letters", {**everything, "action": "replay"}).text)
    assert "Replay: 1 of 3 done" in text
    assert "its epoch 1000000 has not begun" in text
    assert books.execute("select metric_id from core.campaign_metrics").fetchall() == [(1,)]
    dropped = {"message": [f"{METRICS}/0/2"], "reason": "it was forged", "action": "drop"}
    assert "Drop: 1 of 1 done" in text_of(editor.post("/dead-letters", dropped).text)
    assert books.execute("select message_offset from ops.dead_letter").fetchall() == [(1,)]
    assert books.execute("select action, target, acted_by from ops.manual_action order by 1").fetchall() == [
        ("drop", f"{METRICS}/0/2", "airflow:editor"),
        ("replay", f"{METRICS}/0/0", "airflow:editor"),
    ]


def test_live_spend_comes_from_redis(
    books: psycopg.Connection, admin: psycopg.Connection, stack: Settings, viewer: Browser
) -> None:
    import redis

    campaign = uuid.uuid4()
    admin.execute(
        "insert into core.campaigns (campaign_id, user_id, name, status, currency_code, budget, is_deleted, src_epoch,"
        " src_lsn, src_commit, src_is_snapshot, _loaded_at) values (%s, %s, 'Ours', 'active', 'EUR', 10, false, 1, 1,"
        " 1, false, now())",
        [campaign, uuid.uuid4()],
    )
    admin.execute(
        "insert into realtime.campaign_total (campaign_id, impressions, clicks, spend, conversions)"
        " values (%s, 1, 1, 4, 1)",
        [campaign],
    )
    key = f"counter:campaign:{campaign}:day:{datetime.now(UTC):%Y%m%d}"
    with redis.Redis.from_url(stack.address("redis")) as client:
        client.hset(key, mapping={"version": 1, "impressions": 7, "clicks": 2, "spend": "3.25", "conversions": 1})
        client.expire(key, timedelta(minutes=1))
    (row,) = viewer.get("/stream/live.json").json()
    assert (row["name"], row["spend"], row["impressions"], row["currency"]) == ("Ours", 3.25, 7, "EUR")


@pytest.mark.parametrize("path", sorted(path.stem for path in SQL.glob("*.sql")))
def test_the_pages_role_may_run_every_query(stack: Settings, path: str) -> None:
    """A role without a right on a relation cannot even plan the query."""
    query = (SQL / f"{path}.sql").read_text(encoding="utf-8")
    names = set(re.findall(r"%\((\w+)\)s", query))
    given: dict[str, object] = {
        "names": ["leads"], "connectors": ["promptads"], "hours": 6, "limit": 50, "skip": 0, "id": 1, "name": "leads",
        "feed": "leads", "rule": "status_unknown", "topic": None, "actions": None,
    }  # fmt: skip
    with psycopg.connect(stack.address("warehouse_page"), autocommit=True) as reader:
        assert reader.execute(f"explain {query}".encode(), {name: given[name] for name in names}).fetchall()
