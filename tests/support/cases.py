"""``tests/warehouse/<table>.yml``: for each rule of a suite the rows that break it and it alone."""

from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from typing import Any
from uuid import UUID

import yaml

from promptsales.settings import ROOT

FOLDER = ROOT / "tests" / "warehouse"
Row = dict[str, Any]


@cache
def cases(table: str) -> dict[str, Any]:
    """``good``: a row that breaks no rule; ``core``: what core holds; ``cases`` by rule: ``rows``, more of ``core``."""
    text = (FOLDER / f"{table}.yml").read_text(encoding="utf-8")
    # dates stay as they are written: PostgreSQL reads them
    found: dict[str, Any] = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 -- makes nothing but strings
    return found


def rows(table: str, key: str, changes: list[Row], first: int = 1) -> Iterator[Row]:
    """Full rows: the good one with each change, as often as ``times`` says, and a key of its own."""
    number = first
    for change in changes:
        for _ in range(int(change.get("times", 1))):
            row = {key: str(UUID(int=number << 64)), **cases(table)["good"], **change}
            row.pop("times", None)
            if row.get("email_hmac") == "unique":
                row["email_hmac"] = f"\\x{sha256(str(number).encode()).hexdigest()}"
            yield {name: None if value == "null" else value for name, value in row.items()}
            number += 1
