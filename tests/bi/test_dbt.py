"""dbt parses the sources and exposures that are generated from the marts, as in a project of a user."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from promptsales.settings import ROOT

DBT = ROOT / ".venv.dbt" / "bin" / "dbt"
FILES = ROOT / "docs" / "reference" / "dbt"

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(not DBT.exists(), reason=f"no dbt at {DBT} (bi/install dbt)"),
]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Create a dbt project with both files, one model on a source, and a profile of type postgres."""
    models = tmp_path / "models"
    shutil.copytree(FILES, models)
    (models / "spend.sql").write_text("select * from {{ source('promptsales', 'campaign_performance_daily') }}")
    (tmp_path / "dbt_project.yml").write_text("name: analytics\nversion: 1.0.0\nprofile: warehouse\n")
    (tmp_path / "profiles.yml").write_text(
        "warehouse: {target: dev, outputs: {dev: {type: postgres, host: 127.0.0.1, port: 1, user: bi, password: x, "
        "dbname: warehouse, schema: analytics}}}\n"
    )
    return tmp_path


def dbt(project: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run dbt offline in a project; a deprecation is an error."""
    command = [str(DBT), "--no-use-colors", "--no-send-anonymous-usage-stats", "--warn-error", *words]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)


def test_dbt_parses_sources_and_exposures(project: Path) -> None:
    listed = dbt(project, "ls", "--quiet", "--output", "name")
    assert listed.returncode == 0, listed.stdout
    names = listed.stdout.split()
    marts = {f"promptsales.{path.name}" for path in (ROOT / "warehouse" / "marts").iterdir()}
    assert marts - set(names) == set()
    exposures = yaml.safe_load((FILES / "exposures.yml").read_text(encoding="utf-8"))["exposures"]
    assert {exposure["name"] for exposure in exposures} - set(names) == set()


def test_a_reference_to_no_source_fails(project: Path) -> None:
    file = project / "models" / "exposures.yml"
    file.write_text(file.read_text().replace("'campaign_pacing_daily'", "'campaign_pacing_weekly'"))
    parsed = dbt(project, "parse")
    assert parsed.returncode != 0
    assert "campaign_pacing_weekly" in parsed.stdout
