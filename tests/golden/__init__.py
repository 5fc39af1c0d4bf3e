"""The full text of the SQL that is generated for each table, so that a review of a contract shows what it changes.

A file holds the statements of one table as the pipeline composes them: ``feeds/leads.sql``. ``python -m tests.golden``
writes the files, and ``tests/unit/test_golden.py`` compares them.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from psycopg import sql

from promptsales.settings import ROOT
from promptsales.specs.feed import contracts
from promptsales.specs.mart import tables
from promptsales.specs.stream import stream_contracts
from tests.golden import feeds, marts, streamed

FOLDER = Path(__file__).parent

_HEADER = """\
-- Written by `python -m tests.golden` from {folder}; do not edit.
-- The statements are as psycopg gets them: %(name)s and %s stand for parameters, %% for a percent sign.
"""


def render() -> dict[str, str]:
    """Return the text of every golden file, by its path under ``tests/golden``."""
    return dict(_files())


def _files() -> Iterator[tuple[str, str]]:
    for name, feed in contracts().items():
        yield f"feeds/{name}.sql", _text(feed.folder, feeds.statements(feed))
    for name, contract in stream_contracts().items():
        yield f"streamed/{name}.sql", _text(contract.folder, streamed.statements(contract))
    for name, mart in tables().items():
        yield f"marts/{name}.sql", _text(mart.folder, marts.statements(mart))


def _text(folder: Path, statements: Iterable[tuple[str, sql.Composable | bytes]]) -> str:
    parts = [_HEADER.format(folder=folder.relative_to(ROOT))]
    parts += [f"-- {title}\n{_readable(statement)}\n" for title, statement in statements]
    return "\n".join(parts)


def _readable(statement: sql.Composable | bytes) -> str:
    text = statement.decode() if isinstance(statement, bytes) else statement.as_string()
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    indent = len(lines[0]) - len(lines[0].lstrip())
    # a part that the composers put in may be indented less
    lines = [line[min(indent, len(line) - len(line.lstrip())) :] for line in lines]
    # the linter knows no options of COPY
    end = "; -- noqa" if lines[0].startswith("copy ") else ";"
    return "\n".join(lines).removesuffix(";") + end
