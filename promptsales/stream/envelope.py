"""The types of an event: Debezium's envelope around the columns of a contract.

The decoder builds them once for each table; msgspec decodes and checks an event against them in one pass.
"""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

import msgspec

from promptsales.specs.derived import is_date
from promptsales.specs.stream import StreamColumn, StreamContract

# prefix of our own fields, so that a source may have columns with the same names
PREFIX = "promptsales_"
# fields of an event beside its row: Python type, default, PostgreSQL type
OWN: dict[str, tuple[Any, Any, str]] = {
    "is_deleted": (bool, False, "boolean"),
    "src_epoch": (int, 0, "integer"),
    "src_commit": (int, 0, "bigint"),
    "src_lsn": (int, 0, "bigint"),
    "src_is_snapshot": (bool, False, "boolean"),
    "committed_at": (datetime | None, None, "timestamptz"),
}
_TYPES: dict[str, Any] = {
    "uuid": UUID,
    "bigint": int,
    "integer": int,
    "smallint": int,
    "boolean": bool,
    "text": str,
    "jsonb": str,
    "timestamp with time zone": datetime,
}

# a larger number would make PostgreSQL reject the whole batch, its offsets included
_Lsn = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
# Debezium writes the numbers as text
_sequence = msgspec.json.Decoder(tuple[_Lsn | None, _Lsn | None], strict=False)


class _Source(msgspec.Struct):
    lsn: _Lsn
    ts_us: int
    sequence: str | None = None

    @property
    def commit(self) -> int | None:
        """Return where the commit before this transaction ends; None in the first transaction after a snapshot."""
        return _sequence.decode(self.sequence)[0] if self.sequence else None


class Event(msgspec.Struct):
    """An event without its row; `build_event_decoder` adds the row before and after the change."""

    op: str
    source: _Source


def build_event_decoder(
    contract: StreamContract, is_exact: bool, default: Any, times: Any = datetime
) -> "msgspec.json.Decoder[Any]":
    """Return a decoder for the events of a table; see `build_row_type` for the arguments."""
    # a delete carries the key only, so other columns of `before` may be absent
    before, after = build_row_type(contract, is_exact, None, times), build_row_type(contract, is_exact, default, times)
    fields: list[tuple[str, Any, Any]] = [("before", before | None, None), ("after", after | None, None)]
    return msgspec.json.Decoder(msgspec.defstruct("Event", fields, bases=(Event,), kw_only=True))


def build_row_type(
    contract: StreamContract, is_exact: bool, default: Any, times: Any = datetime
) -> type[msgspec.Struct]:
    """Return the struct type of a table's rows: the contract's columns under their source names, and the version.

    An exact type rejects a field that the contract does not name. ``default`` stands for an absent field; without a
    default an absent field is rejected too. ``times`` is the type that times are read as.
    """

    def kind(column: StreamColumn) -> Any:
        value = times if is_date(column.type) else _python_type(column.type)
        return value | None | msgspec.UnsetType if default is msgspec.UNSET else value | None

    fields: list[tuple[str, Any, Any]] = [
        (column.name, kind(column), msgspec.field(default=default, name=column.origin)) for column in contract.columns
    ]
    fields += [
        (name, kind, msgspec.field(default=default, name=PREFIX + name)) for name, (kind, default, _) in OWN.items()
    ]
    return msgspec.defstruct("Row", fields, kw_only=True, forbid_unknown_fields=is_exact)


def _python_type(name: str) -> Any:
    if name.startswith("numeric"):
        return Decimal
    return _TYPES.get(name.split("(")[0], str)
