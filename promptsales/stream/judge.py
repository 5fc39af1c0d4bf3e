"""Which rules a row breaks: those of its suite, and those that every contract implies. Pure, like the decoder."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from promptsales.specs.derived import DATES, is_date
from promptsales.specs.stream import StreamContract
from promptsales.specs.suite import CLOCK_TOLERANCE, read_suite
from promptsales.stream.rules import Rules, compile_rules

# its values stay as they were written, to the last digit
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Judge:
    """The judge of one table's rows."""

    def __init__(self, contract: StreamContract) -> None:
        self.rules: Rules = compile_rules(read_suite(contract))
        self._objects = [(column.name, frozenset(column.keys)) for column in contract.columns if column.keys]
        self._times = [column.name for column in contract.columns if is_date(column.type)]
        self._numbers = [column.name for column in contract.columns if column.type.startswith("numeric")]

    def broken(self, row: Any, at: datetime) -> list[str]:
        """Return the rules that a whole row breaks, when times may lie up to a moment (and the tolerance)."""
        broken = [f"{name}_not_an_object" for name in self.keep_listed(row)]
        return broken + (self._no_numbers(row) + self._no_times(row) or self.rules.broken_by(row, at + CLOCK_TOLERANCE))

    def keep_listed(self, row: Any) -> list[str]:
        """Keep the listed keys of JSON objects only; return the columns that hold none."""
        return [name for name, keys in self._objects if not _keep(row, name, keys)]

    def _no_times(self, row: Any) -> list[str]:
        """Times that were left as text; no rule can judge the row, as they compare with nothing."""
        return [DATES.format(name) for name in self._times if isinstance(getattr(row, name), str)]

    def _no_numbers(self, row: Any) -> list[str]:
        """Numbers that are none (NaN, infinity): no rule can judge the row, as they compare with nothing."""
        return [
            f"{name}_not_a_number"
            for name in self._numbers
            if isinstance(value := getattr(row, name), Decimal) and not value.is_finite()
        ]


def _keep(row: Any, name: str, keys: frozenset[str]) -> bool:
    text: Any = getattr(row, name)
    if not isinstance(text, str):
        return True
    try:
        found = _object.decode(text)
    except (msgspec.MsgspecError, RecursionError):
        return False
    setattr(row, name, msgspec.json.encode({key: value for key, value in found.items() if key in keys}).decode())
    return True
