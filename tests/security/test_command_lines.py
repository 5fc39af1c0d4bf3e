"""No command line holds a secret: every user of the machine can read it."""

import subprocess
import sys
from pathlib import Path

import pytest

from promptsales.settings import Settings
from tests.support.watching import secrets_in, watching

PROMPTSALES = [str(Path(sys.executable).parent / "promptsales")]
# long enough to be seen on a busy machine
SLOW = "select 'from psql', pg_sleep(0.5)"


def test_commands_show_no_secret(stack: Settings) -> None:
    with watching(marker=b"PGPASSWORD=") as watched:
        for arguments in (
            ["psql", "bi", "-XAtc", SLOW],
            ["psql", "warehouse_admin", "-XAtc", SLOW],
            ["dsn", "promptcrm"],
            ["load", "accounts", "--dry-run"],
        ):
            subprocess.run([*PROMPTSALES, *arguments], capture_output=True, check=True)
    assert secrets_in(watched.command_lines, stack) == []
    assert [line for line in watched.command_lines if line.endswith(f"-XAtc\0{SLOW}\0".encode())] != []
    assert {"bi", "postgres"} <= set(secrets_in(watched.environments, stack))


@pytest.mark.parametrize("name", ["bi", "promptcrm", "promptcrm_etl"])
def test_psql_connects_and_passes_arguments_on(stack: Settings, name: str) -> None:
    asked = [*PROMPTSALES, "psql", name, "-XAt", "-v", "one=a b", "-c", r"\echo :one", "-c", "select current_user"]
    result = subprocess.run(asked, capture_output=True, text=True, check=True)
    role = {"bi": "bi", "promptcrm": "promptcrm_owner", "promptcrm_etl": "etl_reader"}[name]
    assert (result.stdout, result.stderr) == (f"a b\n{role}\n", "")


def test_psql_reads_statements_from_its_input(stack: Settings) -> None:
    asked = [*PROMPTSALES, "psql", "promptcrm", "-XAtq"]
    result = subprocess.run(asked, input="show search_path;\nselect 2;\n", capture_output=True, text=True, check=True)
    assert result.stdout == "crm\n2\n"


def test_an_error_of_psql_is_its_exit_code(stack: Settings) -> None:
    asked = [*PROMPTSALES, "psql", "bi", "-XAtc", "select * from core.leads"]
    result = subprocess.run(asked, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr.splitlines()[0]) == (1, "ERROR:  permission denied for schema core")
