"""Draft the three files of a feed from a live table: contract, core table and rules."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import yaml
from sqlalchemy.dialects.postgresql.base import PGDialect

from promptsales.authoring.guess import Guess, make_guess
from promptsales.authoring.relation import LiveTable, SourceColumn
from promptsales.documents import parse_yaml
from promptsales.printable import printable
from promptsales.specs.column import Column
from promptsales.specs.feed import Contract

LOOK_BACK_SECONDS = 3600

# quotes reserved words and names with capitals only
quote: Callable[[str], str] = PGDialect().identifier_preparer.quote  # type: ignore[no-untyped-call]  # it has no types


class Draft(NamedTuple):
    """The drafted content of each file of a feed's folder."""

    contract: str
    table: str
    expectations: str

    @property
    def files(self) -> dict[str, str]:
        """The content by file name."""
        return {"contract.yml": self.contract, "table.sql": self.table, "expectations.yml": self.expectations}


def make_draft(table: LiveTable) -> Draft:
    """Draft a feed; its guesses are marked for a person to confirm.

    Raises:
        ConfigError: when the table has no primary key of one column, or no cursor.
    """
    text = "\n".join(_contract_lines(table)) + "\n"
    contract = Contract.model_validate(parse_yaml(text, f"the draft of {table.relation}"))
    return Draft(text, _table_sql(contract), "\n".join(_rule_lines(table, contract)) + "\n")


def _contract_lines(table: LiveTable) -> Iterator[str]:
    guesses = [(column, make_guess(column)) for column in table.columns]
    yield f"# Drafted from {table.relation}. Confirm or correct every guess before you merge this."
    yield from (f"# look at this: {printable(what)}" for what in _warnings(table))
    yield from _flat("table", table.name)
    yield from _flat("description", table.comment or f"One row per row of {table.relation}, in its current state.")
    yield "source:"
    yield f"  system: {table.system}"
    yield f"  {next(_flat('relation', table.relation))}"
    yield "path: poll"
    yield f"cursor: {_names(table)[table.cursor.name]}"
    yield f"look_back_seconds: {LOOK_BACK_SECONDS}"
    yield f"key: {_names(table)[table.key.name]}"
    yield "hash_at: source"
    yield "# columns whose versions core keeps in a history table: see docs/tutorial/first-feed.md"
    yield "history: []"
    if any(column.plain == "created_at" and column.type.startswith("timestamp") for column in table.columns):
        yield "# the days that the marts rebuild when a row changes (guess)"
        yield "touched: {day: created_at}"
    yield from _unread_lines(guesses)
    yield "columns:"
    for column, guess in guesses:
        yield from _column_lines(table, column, guess)
    if any(target.transform.endswith("_hmac") for _, guess in guesses for target in guess.targets):
        yield f"  - {_flow(_KID)}"


_KID = {
    "name": "pii_kid",
    "type": "integer",
    "transform": "pii_kid",
    "required": True,
    "pii": "none",
    "description": "Number of the key the row is hashed with.",
}


def _flat(key: str, value: str) -> Iterator[str]:
    yield _dump({key: value}, is_flow=False)


def _flow(value: Any) -> str:
    return _dump(value, is_flow=True)


def _dump(value: Any, is_flow: bool) -> str:
    """Return a value as a line of YAML; text with unprintable characters is escaped."""
    dump = partial(yaml.safe_dump, value, default_flow_style=is_flow, sort_keys=False, width=10_000)
    text = str(dump(allow_unicode=True)).strip()
    return text if text == printable(text) else str(dump(allow_unicode=False)).strip()


def _warnings(table: LiveTable) -> Iterator[str]:
    cursor = table.cursor
    if not cursor.is_indexed:
        yield f"no index begins with {cursor.name}, so every delta would read all of {table.relation}"
    if not cursor.is_required:
        yield f"{cursor.name} may be null: rows where it is null are never read"
    if not table.has_trigger:
        yield f"no trigger of {table.relation} sets {cursor.name}: only `reconcile` finds updates that do not set it"
    if not any(column.plain == "deleted_at" for column in table.columns):
        yield "there is no deleted_at: deletes are never loaded, and `reconcile` cannot soft-delete rows"


def _unread_lines(guesses: list[tuple[SourceColumn, Guess]]) -> Iterator[str]:
    unread = [(column, guess) for column, guess in guesses if not guess.targets]
    if unread:
        yield "# not read from the source (guess):"
        yield from (printable(f"#   {column.name}: {guess.why}") for column, guess in unread)
    yield f"unread: {_flow([column.name for column, _ in unread])}"


def _column_lines(table: LiveTable, column: SourceColumn, guess: Guess) -> Iterator[str]:
    for target in guess.targets:
        is_same = target.transform in ("as_is", "redacted")
        name = _names(table)[column.name]
        name = name if is_same else target.name.replace(column.plain, name, 1)
        line = {
            "name": name,
            **({} if name == column.name else {"source": column.name}),
            "type": target.type,
            **({} if target.transform == "as_is" else {"transform": target.transform}),
            **({"required": True} if is_same and column.is_required else {}),
            "pii": target.pii,
            "description": column.comment or f"{column.name} of {table.relation}, as the source has it.",
        }
        if not is_same:
            line["description"] = f"Derived from {column.name} of {table.relation}: {target.transform}."
        yield f"  - {_flow(line)}  # pii: a guess, {printable(guess.why)}"


def _names(table: LiveTable) -> dict[str, str]:
    """Return the core name of each column; of columns with the same name, later ones get a number."""
    names: dict[str, str] = {}
    # columns that keep their name come first
    for column in sorted(table.columns, key=lambda column: column.name != column.plain):
        base, number = _core_name(table, column), 1
        while (name := base if number == 1 else f"{base}_{number}") in names.values():
            number += 1
        names[column.name] = name
    return names


def _core_name(table: LiveTable, column: SourceColumn) -> str:
    """Return a column's name in core, where a key is named after its entity: visits.id is visit_id."""
    if not column.is_key or column.plain != "id":
        return column.plain
    name = table.name
    if name.endswith("ies"):
        return f"{name[:-3]}y_id"
    return f"{name[:-1] if name.endswith('s') and not name.endswith('ss') else name}_id"


def _table_sql(contract: Contract) -> str:
    columns = [_ddl(contract, column) for column in contract.columns]
    body = ",\n".join(
        f"    {column}" for column in [*columns, "_extraction bigint not null", "_loaded_at timestamptz not null"]
    )
    head = f"-- core.{contract.table}: current state, keyed by the source's id; comments come from contract.yml"
    return f"{head}\ncreate table core.{quote(contract.table)} (\n{body}\n);\n"


def _ddl(contract: Contract, column: Column) -> str:
    suffix = " primary key" if column.name == contract.key else " not null" if column.required else ""
    return f"{quote(column.name)} {column.type}{suffix}"


def _rule_lines(table: LiveTable, contract: Contract) -> Iterator[str]:
    yield f"# The rules of core.{contract.table}. on_fail: quarantine the row, block the batch, or warn."
    yield "# Rules on nulls, the key and types follow from contract.yml and are not repeated here."
    yield "# $PARAMETER horizon: when the source was read, plus five minutes."
    yield "expectations:"
    horizon = {"$PARAMETER": "horizon"}
    cursor = contract.cursor
    text = "The last change of a row is not later than the read."
    yield from _rule("be_between", f"{cursor}_in_the_future", text, column=cursor, max_value=horizon)
    read = {column.origin: column.name for column in contract.columns if column.transform == "as_is"}
    for source_column in table.columns:
        if source_column.values and source_column.name in read:
            name, values = read[source_column.name], list(source_column.values)
            text = f"{name} is one of the values that the source allows."
            yield from _rule("be_in_set", f"{name}_unknown", text, column=name, value_set=values)


def _rule(kind: str, name: str, text: str, **kwargs: Any) -> Iterator[str]:
    yield f"  - type: expect_column_values_to_{kind}"
    yield f"    kwargs: {_flow(kwargs)}"
    yield f"    meta: {{rule: {name}, on_fail: quarantine}}"
    yield f"    description: {text}"
