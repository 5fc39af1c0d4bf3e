"""No e-mail address, phone number or person's name of the CRM is stored anywhere else.

The test plants marked values by COPY, runs the pipeline through Airflow and the command line while the servers log
every statement, and then searches every place that a value could have reached.
"""

import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from local.postgres import server_home
from promptsales.airflow_client.api import AirflowClient
from promptsales.settings import ROOT, Settings
from promptsales.targets import InternalName
from tests.e2e.conftest import EVERY_HOURLY, PATIENCE_S
from tests.support.bus import read_messages

MARK = "zq7marked"
PLANTED = {
    "first_name": f"{MARK}first",
    "last_name": f"{MARK}last",
    "email": f"{MARK}.mail@{MARK}.example",
    "phone": "+4977700123456",
    "landing_page_url": f"https://example.com/?for={MARK}",
    "click_id": f"{MARK}click",
    # what people type where no address belongs
    "company_name": f"{MARK}.mail@{MARK}.example",
    "job_title": "call +4977700123456",
    "lead_source": f"ask {MARK}@{MARK}.example",
    "utm_campaign": f"to={MARK}%40{MARK}.example&x=1",
    "utm_term": "+49 77700 123456",
}
# search for the mark in any case, and for the number, as text
NEEDLES = (MARK.encode(), b"77700123456", b"77700 123456")
ADMINS: tuple[InternalName, ...] = ("sources_admin", "warehouse_admin")


@pytest.fixture
def talkative(stack: Settings) -> Iterator[None]:
    """Make both clusters log every statement with its parameters, as a careless administrator might."""
    loud = ("log_statement = 'all'", "log_parameter_max_length = -1", "log_parameter_max_length_on_error = -1",
            "log_error_verbosity = 'default'", "log_min_error_statement = 'error'")  # fmt: skip
    for name in ADMINS:
        with psycopg.connect(stack.address(name), autocommit=True) as admin:
            for setting in loud:
                admin.execute(f"alter system set {setting}")
            admin.execute("select pg_reload_conf()")
    yield
    for name in ADMINS:
        with psycopg.connect(stack.address(name), autocommit=True) as admin:
            admin.execute("alter system reset all")
            admin.execute("select pg_reload_conf()")


def plant(crm: psycopg.Connection) -> None:
    """Add two good leads, one that breaks a rule, and a contact, by COPY, as an application writes them."""
    columns = ["owner_user_id", *PLANTED, "created_at"]
    with crm.cursor() as cursor, cursor.copy(f"copy crm.leads ({', '.join(columns)}) from stdin") as copy:
        for created_at in ("2026-01-01", "2026-01-02", "2999-01-01"):
            copy.write_row([uuid.uuid4(), *PLANTED.values(), created_at])
    personal = ("first_name", "last_name", "email", "phone")
    with (
        crm.cursor() as cursor,
        cursor.copy(f"copy crm.contacts (owner_user_id, {', '.join(personal)}) from stdin") as copy,
    ):
        copy.write_row([uuid.uuid4(), *(PLANTED[name] for name in personal)])


@pytest.fixture
def marked_user(stack: Settings) -> Iterator[None]:
    """Add a user with a marked address and password, and delete it afterwards."""
    with psycopg.connect(stack.address("promptsales"), autocommit=True) as application:
        into = "copy promptsales.users (email, password_hash, role) from stdin"
        with application.cursor() as cursor, cursor.copy(into) as copy:
            copy.write_row([PLANTED["email"], f"{MARK}password", "viewer"])
        yield
        application.execute("delete from promptsales.users")


def run_pipeline(stack: Settings, airflow: AirflowClient) -> None:
    for dag_id in EVERY_HOURLY:
        run, _ = airflow.wait(airflow.trigger(dag_id, f"search-{uuid.uuid4()}"), PATIENCE_S)
        assert run.state == "success"
    with psycopg.connect(stack.address("warehouse")) as warehouse:
        (quarantined,) = warehouse.execute("select quarantine_id::text from ops.quarantine").fetchone() or ("",)
    for words in (
        ["load", "leads", "--start", "2020-01-01", "--end", "2100-01-01"],
        ["check", "--all"],
        ["quarantine", "list"],
        ["quarantine", "show", quarantined],
    ):
        command = [str(Path(sys.executable).with_name("promptsales")), *words]
        result = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
        assert not is_marked(result.stdout + result.stderr), words


def dump(stack: Settings, address: str) -> bytes:
    """Return a whole database as SQL."""
    parts = conninfo_to_dict(address)
    program = server_home(stack.state) / "bin" / "pg_dump"
    environment = {"PGPASSWORD": str(parts.pop("password"))}
    result = subprocess.run(
        [program, "--dbname", make_conninfo("", **parts)], env=environment, capture_output=True, check=True
    )
    return result.stdout


def statistics(address: str) -> bytes:
    """Return what a role can read of statements, column statistics and replication."""
    views = (
        "pg_stat_activity",
        "pg_stats",
        "pg_stats_ext",
        "pg_stat_replication",
        "pg_stat_user_tables",
        "pg_settings",
    )
    with psycopg.connect(address, autocommit=True) as connection:
        rows = [connection.execute(f"select * from {view}").fetchall() for view in views]  # noqa: S608
    return repr(rows).encode()


def files(stack: Settings) -> Iterator[tuple[str, bytes]]:
    """Yield every file of the state folder except the CRM's own cluster and the secrets."""
    own = (stack.state / "sources", stack.state / "data" / "sources", stack.state / "secrets")
    for path in stack.state.rglob("*"):
        if path.is_file() and not any(path.is_relative_to(folder) for folder in own):
            yield str(path.relative_to(stack.state)), path.read_bytes()


def is_marked(text: bytes) -> bool:
    lowered = text.lower()
    return any(needle in lowered for needle in NEEDLES)


@pytest.mark.timeout(900)
@pytest.mark.usefixtures("talkative", "admin", "marked_user")
def test_marked_values_stay_in_the_crm(stack: Settings, airflow: AirflowClient, crm: psycopg.Connection) -> None:
    plant(crm)
    run_pipeline(stack, airflow)
    with psycopg.connect(stack.address("warehouse_admin")) as admin:
        assert admin.execute("select count(*) from core.leads").fetchone() == (2,)
        assert admin.execute("select count(*) from core.contacts").fetchone() == (1,)
        assert admin.execute("select count(*) from core.users where email_hmac is not null").fetchone() == (1,)
        assert admin.execute("select feed from ops.quarantine").fetchall() == [("leads",)]
        admin.execute("analyze")

    crm_address = make_conninfo(stack.address("sources_admin"), dbname="promptcrm")
    assert is_marked(dump(stack, crm_address)), "the search itself fails: it misses the CRM's own rows"
    places = {
        "the warehouse": dump(stack, stack.address("warehouse_admin")),
        "airflow's metadata": dump(stack, stack.address("airflow_db")),
        "kafka": b"".join(held.content for held in read_messages(stack)),
        "statistics as etl_reader": statistics(stack.address("promptcrm_etl")),
        "statistics as cdc": statistics(cdc_address(stack)),
        "statistics as the loader": statistics(stack.address("warehouse")),
        "statistics as a dashboard": statistics(stack.address("bi")),
        **dict(files(stack)),
    }
    assert any("logs" in place for place in places), "no log was searched"
    assert [place for place, text in places.items() if is_marked(text)] == []


def cdc_address(stack: Settings) -> str:
    return make_conninfo(stack.address("promptcrm_etl"), user="cdc", password=stack.secrets.password("cdc"))


def test_every_state_file_with_a_secret_is_the_owners_alone(stack: Settings) -> None:
    secrets = [path.read_bytes() for path in (stack.state / "secrets").iterdir()]
    holders = {
        name: (stack.state / name).stat().st_mode & 0o077
        for name, text in files(stack)
        if any(secret in text for secret in secrets)
    }
    assert {name for name, mode in holders.items() if mode} == set()
    assert {name for name in holders if Path(name).parts[0] == "logs"} == set()
