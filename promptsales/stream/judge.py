"""Judge a row by the rules of its suite and by those that every contract implies. Pure, like the decoder."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from promptsales.hashing.redaction import make_redaction, redact_json
from promptsales.specs.column import REDACTED
from promptsales.specs.derived import DATES, is_date
from promptsales.specs.stream import StreamContract
from promptsales.specs.suite import CLOCK_TOLERANCE, read_suite
from promptsales.stream.rules import Rules, compile_rules

# raw values keep every digit as it was written
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Judge:
    """Judges the rows of one table."""

    def __init__(self, contract: StreamContract) -> None:
        self.rules: Rules = compile_rules(read_suite(contract))
        redacted = [column for column in contract.columns if column.transform in REDACTED]
        self._texts = [(column.name, make_redaction(column)) for column in redacted if not column.keys]
        self._objects = [
            (column.name, frozenset(column.keys), column in redacted) for column in contract.columns if column.keys
        ]
        self._times = [column.name for column in contract.columns if is_date(column.type)]
        self._numbers = [column.name for column in contract.columns if column.type.startswith("numeric")]

    def find_broken_rules(self, row: Any, at: datetime) -> list[str]:
        """Return the rules that a complete row breaks; times may lie up to ``at`` plus the tolerance."""
        broken = [f"{name}_not_an_object" for name in self.clean(row)]
        return broken + (
            self._find_non_finite(row) + self._find_text_times(row) or self.rules.broken_by(row, at + CLOCK_TOLERANCE)
        )

    def clean(self, row: Any) -> list[str]:
        """Redact texts, and drop the keys of JSON objects that no contract lists; return what holds no object."""
        for name, redaction in self._texts:
            value = getattr(row, name)
            if isinstance(value, str):
                setattr(row, name, redaction(value))
        return [name for name, keys, is_redacted in self._objects if not _keep_listed(row, name, keys, is_redacted)]

    def _find_text_times(self, row: Any) -> list[str]:
        """Return a rule for each time that is still text; no other rule can compare it."""
        return [DATES.format(name) for name in self._times if isinstance(getattr(row, name), str)]

    def _find_non_finite(self, row: Any) -> list[str]:
        """Return a rule for each non-finite number (`NaN`, `Infinity`); no other rule can compare it."""
        return [
            f"{name}_not_a_number"
            for name in self._numbers
            if isinstance(value := getattr(row, name), Decimal) and not value.is_finite()
        ]


def _keep_listed(row: Any, name: str, keys: frozenset[str], is_redacted: bool) -> bool:
    text: Any = getattr(row, name)
    if not isinstance(text, str):
        return True
    try:
        values = _object.decode(text)
    except (msgspec.MsgspecError, RecursionError):
        return False
    kept = {key: _redact(value) if is_redacted else value for key, value in values.items() if key in keys}
    setattr(row, name, msgspec.json.encode(kept).decode())
    return True


def _redact(value: msgspec.Raw) -> msgspec.Raw:
    return msgspec.Raw(redact_json(bytes(value).decode()).encode())
