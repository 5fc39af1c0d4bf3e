"""The commands on data, as a user or CI runs them."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import psycopg
import pytest

from promptsales.cache.responses import Responses, cache_of
from promptsales.cli.live import show_live
from promptsales.cli.main import main
from promptsales.settings import Settings
from promptsales.specs.feed import contracts
from promptsales.specs.mart import tables
from promptsales.specs.stream import stream_contracts
from tests.support import leads
from tests.support.cases import put


class Done(NamedTuple):
    """The exit code and output of a command."""

    returncode: object
    stdout: str
    stderr: str


Command = Callable[..., Done]


@pytest.fixture
def promptsales(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run the command line in this process: its imports take seconds, and happen once."""

    def run(*words: str) -> Done:
        monkeypatch.setattr("sys.argv", ["promptsales", *words])
        with pytest.raises(SystemExit) as end:
            main()
        return Done(end.value.code or 0, *capsys.readouterr())

    return run


@pytest.mark.usefixtures("warehouse")
def test_load_check_freshness_quarantine(promptsales: Command, crm: psycopg.Connection, tmp_path: Path) -> None:
    leads.add(crm, 3)
    leads.add_bad(crm, 1)
    dry = promptsales("load", "leads", "--dry-run")
    assert (dry.returncode, "4" in dry.stdout.split()) == (0, True)
    (plan,) = json.loads(promptsales("load", "leads", "--dry-run", "--json").stdout)
    assert (plan["feed"], plan["rows"], plan["start"]) == ("leads", 4, None)
    (loaded,) = json.loads(promptsales("load", "leads", "--json").stdout)
    assert [loaded[name] for name in ("extracted", "inserted", "updated", "unchanged", "quarantined")] == [
        4,
        3,
        0,
        0,
        1,
    ]

    freshness_rows = json.loads(promptsales("freshness", "--json").stdout)
    fresh = {feed["feed"]: feed["state"] for feed in freshness_rows if feed["feed"] in contracts()}
    assert fresh == {name: "fresh" if name == "leads" else "never loaded" for name in contracts()}

    (held,) = json.loads(promptsales("quarantine", "list", "--json").stdout)
    assert held["rules"] == ["created_after_updated"]
    assert "is published by the next load" in promptsales("quarantine", "release", str(held["quarantine_id"])).stdout
    (released,) = json.loads(promptsales("load", "leads", "--json").stdout)
    assert (released["inserted"], released["quarantined"]) == (1, 0)

    # core now holds a row that breaks a rule, because it was released: the check of core reports it
    report = tmp_path / "out.xml"
    checked = promptsales("check", "--all", "--junit", str(report))
    assert checked.returncode == 1
    root = ElementTree.parse(report).getroot()
    assert [suite.get("name") for suite in root] == [*contracts(), *stream_contracts(), *tables()]
    failed = [(c.get("classname"), c.get("name")) for c in root.iter("testcase") if c.find("failure") is not None]
    assert failed == [("leads", "created_after_updated")]
    lines = dict(line.split(": ", 1) for line in checked.stderr.splitlines())
    assert list(lines) == [*contracts(), *stream_contracts(), *tables()]
    rules = len(root.findall("testsuite[@name='leads']/testcase"))
    assert re.fullmatch(rf"{rules} rules, 1 failed(, \d+ warned)?, \d+\.\d s", lines["leads"])
    assert re.fullmatch(r"\d+ rules, all passed, \d+\.\d s", lines["campaign_performance_daily"])

    stopped = promptsales("check", "accounts", "leads", "contacts", "--fail-fast", "--junit", str(report))
    assert stopped.returncode == 1
    assert [suite.get("name") for suite in ElementTree.parse(report).getroot()] == ["accounts", "leads"]


@pytest.mark.parametrize("words", [("load", "leads"), ("reconcile", "leads")])
@pytest.mark.usefixtures("warehouse")
def test_answers_made_from_what_changed_are_made_anew(
    promptsales: Command, stack: Settings, crm: psycopg.Connection, words: tuple[str, str]
) -> None:
    leads.add(crm, 1)
    promptsales("load", "leads")
    with cache_of(stack) as cache:
        made = iter(range(2))
        read = partial(Responses(cache).read, "leads", {"of": words[0]}, ["core.leads"], lambda: next(made))
        assert read() == 0
        crm.execute("update leads set score = 5" if words[0] == "load" else "delete from leads")
        assert promptsales(*words).returncode == 0
        assert read() == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["load", "lead"], "error: no feed is called 'lead'; feeds are accounts, activities"),
        (["load", "leads", "--start", "2026-01-01"], "error: a window needs both start and end; leave"),
        (["check"], "error: name feeds, streamed tables or marts, or pass --all; feeds are accounts, activities"),
        (["check", "lad"], "error: no feed, streamed table or mart is called 'lad'; feeds are accounts, activities"),
        (["quarantine", "show", "99"], "error: no row 99 in quarantine"),
        (
            ["pii", "erase", "00" * 32, "--json"],
            "error: --json cannot ask for confirmation: check with --dry-run, then pass --yes",
        ),
        (["dsn", "foo"], "error: no connection is called 'foo'; use one of promptsales"),
    ],
)
@pytest.mark.usefixtures("warehouse")
def test_errors_are_one_line(promptsales: Command, words: list[str], message: str) -> None:
    result = promptsales(*words)
    assert result.returncode == 1
    assert result.stderr.startswith(message)
    assert result.stderr.count("\n") == 1


NAME, SHOWN = "[/] [bold]x \x1b[2J\u202e\n", r"[/] [bold]x \x1b[2J\u202e\n"


@pytest.mark.usefixtures("warehouse")
def test_what_holds_a_feed_is_shown_as_it_is(promptsales: Command, admin: psycopg.Connection) -> None:
    admin.execute("update ops.feed set held_by = %s where feed = 'leads'", [NAME])
    admin.execute("insert into ops.feed (feed, held_by) values ('leads', %s) on conflict do nothing", [NAME])
    words = promptsales("freshness")
    (leads_,) = [feed for feed in json.loads(promptsales("freshness", "--json").stdout) if feed["feed"] == "leads"]
    assert (words.returncode, leads_["held_by"]) == (0, NAME)
    assert SHOWN in " ".join(words.stdout.split())


def test_a_campaign_is_shown_as_it_is_called(
    stack: Settings, admin: psycopg.Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    put(admin, "campaigns", [{"name": NAME, "status": "active"}])
    admin.execute("""
        insert into realtime.campaign_total (campaign_id, impressions, clicks, spend, conversions)
        select campaign_id, 0, 0, 0, 0 from core.campaigns
    """)
    show_live(datetime.now(UTC))
    assert SHOWN in capsys.readouterr().out


def test_check_of_a_streamed_table(promptsales: Command, admin: psycopg.Connection) -> None:
    put(admin, "campaigns", [{}, {"is_deleted": True, "budget": -2}])
    before = promptsales("check", "campaigns", "--json")
    admin.execute("update core.campaigns set budget = -1")
    after = promptsales("check", "--all", "--json")
    assert (before.returncode, after.returncode) == (0, 1)
    assert {rule["table"] for rule in json.loads(before.stdout)} == {"campaigns"}
    failed = [result for result in json.loads(after.stdout) if result["result"] == "failed"]
    assert [(result["table"], result["rule"], result["unexpected"]) for result in failed] == [
        ("campaigns", "budget_negative", 1)
    ]


def test_check_of_a_mart(promptsales: Command, stack: Settings) -> None:
    with psycopg.connect(stack.address("warehouse_admin"), autocommit=True) as admin:
        before = promptsales("check", "ai_cost_daily", "--json")
        admin.execute("""
            insert into marts.ai_cost_daily (date_day, model_label, user_id, currency_code, prompts, tokens, cost,
                                             rated_tokens, rated_cost)
            values ('1900-01-01', 'x', gen_random_uuid(), 'USD', -1, 0, 0, 0, 0)
        """)
        try:
            after = promptsales("check", "ai_cost_daily", "--json")
        finally:
            admin.execute("delete from marts.ai_cost_daily where date_day = '1900-01-01'")
    assert (before.returncode, after.returncode) == (0, 1)
    assert {rule["table"] for rule in json.loads(before.stdout)} == {"ai_cost_daily"}
    assert [rule["rule"] for rule in json.loads(after.stdout) if rule["result"] == "failed"] == ["prompts_negative"]
