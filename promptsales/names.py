"""Names of schemas, tables and columns: which names a contract may use, and how to write them in SQL.

A source may use any name. Core and marts have plain names of letters, digits and _, including reserved words.
"""

import re
import unicodedata
from collections.abc import Iterable
from typing import Annotated

from psycopg import sql
from pydantic import AfterValidator

# PostgreSQL cuts longer names
MOST_BYTES = 63
# staging and history add the name of a system or a word to a table's name
MOST_OF_TABLE = 48
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LOWER_CASE = re.compile(r"[a-z_][a-z0-9_]*")
# characters that Kafka does not allow in a topic's name; Debezium replaces them in the same way
_NOT_IN_TOPICS = re.compile(r"[^A-Za-z0-9._-]")
# how long a line of a list in a statement may be, and how far the next one is indented
_LINE = 100
_INDENT = " " * 16

# columns that the pipeline adds to tables, staging and events, or computes in its statements
OWN = frozenset({
    *("_extraction", "_loaded_at", "_load_id", "_row", "_rules", "_misfits"),
    *("_is_new", "_is_new_version", "_is_ended", "_is_gone", "_changed_at", "_valid_to"),
    *("_old_entity", "_old_days", "_new_entity", "_new_days"),
})  # fmt: skip
OWN_OF_STREAM = frozenset({
    *("_loaded_at", "_rules", "_payload", "_last_tried_at"),
    *("is_deleted", "src_epoch", "src_commit", "src_lsn", "src_is_snapshot", "committed_at"),
})  # fmt: skip
OWN_OF_HISTORY = frozenset({"valid_from", "valid_to"})


def _plain(name: str) -> str:
    if not _PLAIN.fullmatch(name) or len(name) > MOST_BYTES:
        raise ValueError(
            f"{name!r} is not a name for the warehouse: at most {MOST_BYTES} letters from A to Z, digits and _; "
            f"call it {to_plain(name)}, and put the source's name under source"
        )
    return name


def _table(name: str) -> str:
    if len(name) > MOST_OF_TABLE:
        raise ValueError(f"{name!r} is too long for a table of the warehouse; use at most {MOST_OF_TABLE} characters")
    return _plain(name)


def _at_source(name: str) -> str:
    if not name or "\0" in name or len(name.encode()) > MOST_BYTES:
        raise ValueError(f"{name!r} cannot be a name in a source: expected 1 to {MOST_BYTES} bytes, none of them zero")
    return name


def _relation(name: str) -> str:
    schema, dot, table = name.partition(".")
    if not dot or not schema or not table:
        raise ValueError(f"{name!r} is not a relation: write schema.table, without quotes")
    _at_source(schema)
    _at_source(table)
    return name


Name = Annotated[str, AfterValidator(_plain)]
TableName = Annotated[str, AfterValidator(_table)]
Relation = Annotated[str, AfterValidator(_relation)]


def to_plain(name: str, most: int = MOST_BYTES) -> str:
    """Return a source's name in the warehouse's form: lower case, words joined by ``_``, at most ``most`` characters.

    ``Order Lines`` and ``orderLines`` become ``order_lines``.
    """
    if _LOWER_CASE.fullmatch(name):
        return (name.strip("_") if name in OWN else name)[:most]
    ascii_only = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", ascii_only)
    joined = "_".join(parts).lower() or "unnamed"
    return (f"_{joined}" if joined[0].isdigit() else joined)[:most]


def refuse_origin(column: str, origin: str, is_field: bool) -> None:
    """Refuse a name that no column of a source, or no field of a document, can have.

    Raises:
        ValueError: naming the column and the fault.
    """
    if not is_field:
        _at_source(origin)
        return
    for field in origin.split("."):
        if not field or "\0" in field or field.startswith("$"):
            raise ValueError(
                f"{column}: MongoDB cannot select a field {origin!r}: a dot leads into a document, and no part may be "
                "empty or begin with $; rename the field in MongoDB, or list it as unread"
            )


def refuse_own(names: Iterable[str], own: frozenset[str]) -> None:
    """Refuse columns that have the name of a column that the pipeline adds.

    Raises:
        ValueError: naming these columns.
    """
    if taken := sorted(own & set(names)):
        raise ValueError(
            f"the pipeline itself uses the name {', '.join(taken)}; give the column another name, and this one as its "
            "source"
        )


def identifier(*parts: str) -> sql.Composable:
    """Return a name in quotes, after its schema or table if ``parts`` has one.

    psycopg reads ``%`` in a name as the beginning of a parameter; a Unicode escape avoids that.
    """
    return sql.SQL(".").join(map(_quote, parts))


def _quote(part: str) -> sql.Composable:
    if "%" not in part:
        return sql.Identifier(part)
    return sql.SQL(f'U&"{_escape(part).replace(chr(34), chr(34) * 2)}"')


def literal(text: str) -> sql.Composable:
    """Return a name as a string literal, for statements that have parameters."""
    if "%" not in text:
        return sql.Literal(text)
    return sql.SQL(f"U&'{_escape(text).replace(chr(39), chr(39) * 2)}'")


def _escape(text: str) -> str:
    return text.replace("\\", r"\\").replace("%", r"\0025")


def in_lines(parts: Iterable[sql.Composable], between: str = ",") -> sql.Composed:
    """Join the parts of a list in a statement, with line breaks so that a person can read it.

    A line has at most 100 characters, apart from a part that is longer itself.
    """
    joined: list[sql.Composable] = []
    width = 0
    for part in parts:
        length = len(part.as_string())
        if joined:
            is_full = width + length > _LINE
            joined.append(sql.SQL(f"{between}\n{_INDENT}" if is_full else f"{between} "))
            width = 0 if is_full else width
        joined.append(part)
        width += length + 2
    return sql.Composed(joined)


def relation(name: str) -> sql.Composable:
    """Return a contract's ``schema.table`` in quotes; a table's name may contain dots, a schema's may not."""
    return identifier(*name.split(".", 1))


def as_regclass(*parts: str) -> str:
    """Return a name in quotes for ``to_regclass``, which folds unquoted names to lower case."""
    return sql.Identifier(*parts).as_string()


def regclass_of(name: str) -> str:
    """Return a contract's ``schema.table`` in quotes for ``to_regclass``."""
    return as_regclass(*name.split(".", 1))


def quoting_hint(name: str) -> str:
    """Return a hint for a message about a name with capitals: SQL needs it in quotes; empty for other names."""
    return "" if name == name.lower() else f', with "{name}" in quotes, else PostgreSQL calls it {name.lower()}'


def topic_part(name: str) -> str:
    """Return a relation's name in the form that Kafka allows in a topic's name."""
    return _NOT_IN_TOPICS.sub("_", name)
