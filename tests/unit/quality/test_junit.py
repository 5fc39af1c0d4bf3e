"""Check results as XML that every CI reads."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from promptsales.quality.junit import write_junit
from promptsales.quality.verdict import Verdict
from promptsales.specs.feed import contract
from promptsales.specs.suite import read_suite


@pytest.mark.parametrize(
    ("elements", "unexpected", "message"),
    [(3, 1, "1 of 3 rows"), (0, 0, "0 of 0 rows"), (None, 0, "the table as a whole"), (None, 2, "2 rows")],
)
def test_what_a_failure_counts(tmp_path: Path, elements: int | None, unexpected: int, message: str) -> None:
    expectation = next(one for one in read_suite(contract("leads")).expectations if one.meta.on_fail == "quarantine")
    write_junit(tmp_path / "out.xml", {"leads": [Verdict(expectation, False, elements, unexpected, [], None)]})
    (failure,) = ElementTree.parse(tmp_path / "out.xml").getroot().iter("failure")
    assert failure.get("message") == message


def test_what_xml_cannot_hold_is_escaped(tmp_path: Path) -> None:
    expectation = next(
        candidate for candidate in read_suite(contract("leads")).expectations if candidate.meta.on_fail == "quarantine"
    )
    expectation = expectation.model_copy(update={"meta": expectation.meta.model_copy(update={"on_fail": "block"})})
    verdict = Verdict(expectation, False, 3, 1, [1], "[/] \x1b[2J \x00 \ud800 <")
    write_junit(tmp_path / "out.xml", {"leads": [verdict]})
    (failure,) = ElementTree.parse(tmp_path / "out.xml").getroot().iter("failure")
    assert failure.get("message") == r"[/] \x1b[2J \x00 \ud800 <"
