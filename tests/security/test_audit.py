"""The list of vulnerabilities that the audit ignores: every entry has a reason, a package of ours and a date."""

import subprocess
from pathlib import Path

import pytest

from promptsales.settings import ROOT

REASON = "We never parse the format that it is about."


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("GHSA-1 pyyaml 2999-01-01", "GHSA-1 has no reason; expected: id, package, date of the next review, reason"),
        (f"GHSA-2 left-pad 2999-01-01 {REASON}", "GHSA-2: requirements.txt has no package left-pad; delete the line"),
        (f"GHSA-3 pyyaml 2020-01-31 {REASON}", "GHSA-3 of pyyaml was reviewed until 2020-01-31; review it again"),
    ],
)
def test_an_exception_without_a_review_is_refused_before_anything_is_asked(
    tmp_path: Path, line: str, fault: str
) -> None:
    exceptions = tmp_path / "exceptions.txt"
    exceptions.write_text(f"# a comment\n\n{line}\n")
    result = subprocess.run([ROOT / ".ci" / "audit", exceptions], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout, result.stderr) == (1, "", f"audit: {exceptions}: {fault}\n")
