"""A feed's three files, drafted from a live table: contract, core table, rules."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import yaml
from sqlalchemy.dialects.postgresql.base import PGDialect

from promptsales.authoring.guess import Guess, guess
from promptsales.authoring.relation import LiveTable, SourceColumn
from promptsales.printable import printable
from promptsales.specs.feed import Contract

LOOK_BACK_SECONDS = 3600

# in quotes where PostgreSQL wants them: reserved words and capitals
quoted: Callable[[str], str] = PGDialect().identifier_preparer.quote  # type: ignore[no-untyped-call]  # it has no types


class Draft(NamedTuple):
    """The files of a feed's folder, by name."""

    contract: str
    table: str
    expectations: str

    @property
    def files(self) -> dict[str, str]:
        """What to write where."""
        return {"contract.yml": self.contract, "table.sql": self.table, "expectations.yml": self.expectations}


def draft(table: LiveTable) -> Draft:
    """Draft a feed; the guesses in it are marked for a person to confirm.

    Raises:
        ConfigError: when the table has no key of one column, or no cursor.
    """
    text = "\n".join(_contract_lines(table)) + "\n"
    contract = Contract.model_validate(yaml.safe_load(text))
    return Draft(text, _table_sql(contract), "\n".join(_rule_lines(table, contract)) + "\n")


def _contract_lines(table: LiveTable) -> Iterator[str]:
    guesses = [(column, guess(column)) for column in table.columns]
    yield f"# Drafted from {table.relation}. A person confirms or corrects every guess before this is merged."
    yield from (f"# look at this: {printable(what)}" for what in _warnings(table))
    yield from _flat("table", table.name)
    yield from _flat("description", table.comment or f"One row per row of {table.relation}, as it stands now.")
    yield "source:"
    yield f"  system: {table.system}"
    yield f"  {next(_flat('relation', table.relation))}"
    yield "path: poll"
    yield f"cursor: {_names(table)[table.cursor.name]}"
    yield f"look_back_seconds: {LOOK_BACK_SECONDS}"
    yield f"key: {_names(table)[table.key.name]}"
    yield "hash_at: source"
    yield "# columns whose versions core keeps, in a table of their own: see docs/tutorial/first-feed.md"
    yield "history: []"
    if any(column.plain == "created_at" and column.type.startswith("timestamp") for column in table.columns):
        yield "# what the marts rebuild when a row changes (guess)"
        yield "touched: {day: created_at}"
    yield from _unread_lines(guesses)
    yield "columns:"
    for column, found in guesses:
        yield from _column_lines(table, column, found)
    if any(target.transform.endswith("_hmac") for _, found in guesses for target in found.targets):
        yield f"  - {_flow(_KID)}"


_KID = {
    "name": "pii_kid",
    "type": "integer",
    "transform": "pii_kid",
    "required": True,
    "pii": "none",
    "description": "Which key made the row's hashes.",
}


def _flat(key: str, value: str) -> Iterator[str]:
    yield _dumped({key: value}, is_flow=False)


def _flow(value: Any) -> str:
    return _dumped(value, is_flow=True)


def _dumped(value: Any, is_flow: bool) -> str:
    """YAML of one line; where a comment of the source holds what nobody sees, its text is escaped in YAML's own way."""
    dump = partial(yaml.safe_dump, value, default_flow_style=is_flow, sort_keys=False, width=10_000)
    text = str(dump(allow_unicode=True)).strip()
    return text if text == printable(text) else str(dump(allow_unicode=False)).strip()


def _warnings(table: LiveTable) -> Iterator[str]:
    cursor = table.cursor
    if not cursor.is_indexed:
        yield f"no index begins with {cursor.name}, so that every delta would read all of {table.relation}"
    if not cursor.is_required:
        yield f"{cursor.name} may be null: such rows would never be read"
    if not table.has_trigger:
        yield f"no trigger of {table.relation} sets {cursor.name}: changes by hand would be found by `reconcile` only"
    if not any(column.plain == "deleted_at" for column in table.columns):
        yield "there is no deleted_at: deletes would never be seen, and `reconcile` cannot soft-delete"


def _unread_lines(guesses: list[tuple[SourceColumn, Guess]]) -> Iterator[str]:
    left = [(column, found) for column, found in guesses if not found.targets]
    if left:
        yield "# left at the source (guess):"
        yield from (printable(f"#   {column.name}: {found.why}") for column, found in left)
    yield f"unread: {_flow([column.name for column, _ in left])}"


def _column_lines(table: LiveTable, column: SourceColumn, found: Guess) -> Iterator[str]:
    for target in found.targets:
        is_same = target.transform == "as_is"
        name = _names(table)[column.name]
        name = name if is_same else target.name.replace(column.plain, name, 1)
        line = {
            "name": name,
            **({} if name == column.name else {"source": column.name}),
            "type": target.type,
            **({} if is_same else {"transform": target.transform}),
            **({"required": True} if is_same and column.is_required else {}),
            "pii": target.pii,
            "description": column.comment or f"{column.name} of {table.relation}, as the source has it.",
        }
        if not is_same:
            line["description"] = f"Made of {column.name} of {table.relation}: {target.transform}."
        yield f"  - {_flow(line)}  # pii: a guess, {printable(found.why)}"


def _names(table: LiveTable) -> dict[str, str]:
    """What core calls each column; where two would have one name, the later has a number."""
    found: dict[str, str] = {}
    # a name that stays as it is comes first
    for column in sorted(table.columns, key=lambda column: column.name != column.plain):
        wanted, number = _core_name(table, column), 1
        while (name := wanted if number == 1 else f"{wanted}_{number}") in found.values():
            number += 1
        found[column.name] = name
    return found


def _core_name(table: LiveTable, column: SourceColumn) -> str:
    """Core calls a key by its entity: visits.id is visit_id."""
    if not column.is_key or column.plain != "id":
        return column.plain
    name = table.name
    if name.endswith("ies"):
        return f"{name[:-3]}y_id"
    return f"{name[:-1] if name.endswith('s') and not name.endswith('ss') else name}_id"


def _table_sql(contract: Contract) -> str:
    columns = [_ddl(contract, name) for name in contract.column_names]
    body = ",\n".join(
        f"    {column}" for column in [*columns, "_extraction bigint not null", "_loaded_at timestamptz not null"]
    )
    head = f"-- core.{contract.table}: current state, keyed by the source's id; comments come from contract.yml"
    return f"{head}\ncreate table core.{quoted(contract.table)} (\n{body}\n);\n"


def _ddl(contract: Contract, name: str) -> str:
    column = next(one for one in contract.columns if one.name == name)
    suffix = " primary key" if name == contract.key else " not null" if column.required else ""
    return f"{quoted(name)} {column.type}{suffix}"


def _rule_lines(table: LiveTable, contract: Contract) -> Iterator[str]:
    yield f"# The rules of core.{contract.table}. on_fail: quarantine the row, block the batch, or warn."
    yield "# Rules on nulls, the key and types follow from contract.yml and are not repeated here."
    yield "# $PARAMETER horizon: when the source was read, plus five minutes."
    yield "expectations:"
    horizon = {"$PARAMETER": "horizon"}
    cursor = contract.cursor
    text = "A row does not change after it was read."
    yield from _rule("be_between", f"{cursor}_in_the_future", text, column=cursor, max_value=horizon)
    read = {column.origin: column.name for column in contract.columns if column.transform == "as_is"}
    for one in (one for one in table.columns if one.values and one.name in read):
        values = list(one.values)
        name = read[one.name]
        text = f"{name} is one of those the source allows."
        yield from _rule("be_in_set", f"{name}_unknown", text, column=name, value_set=values)


def _rule(kind: str, name: str, text: str, **kwargs: Any) -> Iterator[str]:
    yield f"  - type: expect_column_values_to_{kind}"
    yield f"    kwargs: {_flow(kwargs)}"
    yield f"    meta: {{rule: {name}, on_fail: quarantine}}"
    yield f"    description: {text}"
