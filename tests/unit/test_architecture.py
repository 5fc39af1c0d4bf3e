"""The layers are a contract that fails on a violation, and the picture shows the imports as they are."""

import shutil
import subprocess
import sys
from pathlib import Path

from tests.architecture import PICTURE, ROOT, picture

LINT = Path(sys.executable).with_name("lint-imports")


def test_the_picture_is_as_the_imports_are() -> None:
    assert PICTURE.read_text(encoding="utf-8") == picture(), "run python -m tests.architecture"


def test_a_violation_is_reported(tmp_path: Path) -> None:
    for name in ("promptsales", "streams", "spark_jobs", "local"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "setup.cfg", tmp_path)
    with (tmp_path / "promptsales" / "feeds" / "staging.py").open("a", encoding="utf-8") as module:
        module.write("\n\ndef late() -> None:\n    import promptsales.load.steps\n")

    checked = subprocess.run([LINT, "--no-cache"], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert checked.returncode == 1
    assert "Contracts: 3 kept, 1 broken." in checked.stdout
    assert "promptsales.feeds.staging -> promptsales.load.steps" in checked.stdout
