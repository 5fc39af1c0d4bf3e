"""Write check results as JUnit XML for CI systems."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.etree import ElementTree

from promptsales.printable import printable
from promptsales.quality.verdict import Verdict


def write_junit(path: Path, verdicts_by_table: Mapping[str, Sequence[Verdict]]) -> None:
    """Write a suite for each table and a case for each rule; a warning passes and appears in the output.

    Args:
        path: the file to write.
        verdicts_by_table: the verdicts by table.
    """
    root = ElementTree.Element("testsuites")
    for table, verdicts in verdicts_by_table.items():
        failures = sum(verdict.result == "failed" for verdict in verdicts)
        suite = ElementTree.SubElement(
            root, "testsuite", name=table, tests=str(len(verdicts)), failures=str(failures), errors="0"
        )
        for verdict in verdicts:
            _add_case(suite, table, verdict)
    ElementTree.indent(root)
    ElementTree.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def _add_case(suite: ElementTree.Element, table: str, verdict: Verdict) -> None:
    case = ElementTree.SubElement(suite, "testcase", classname=table, name=verdict.expectation.meta.rule)
    # XML 1.0 cannot hold control characters
    message = printable(verdict.error or _count(verdict))
    description = printable(verdict.expectation.description)
    if verdict.result == "failed":
        ElementTree.SubElement(case, "failure", message=message).text = description
    elif verdict.result == "warned":
        ElementTree.SubElement(case, "system-out").text = f"warning: {message}: {description}"


def _count(verdict: Verdict) -> str:
    """Return how many rows are unexpected; a rule of the whole table counts none."""
    if verdict.element_count is not None:
        return f"{verdict.unexpected_count} of {verdict.element_count} rows"
    return f"{verdict.unexpected_count} rows" if verdict.unexpected_count else "the table as a whole"
