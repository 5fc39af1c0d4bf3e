"""Read the suite of a table: the rules of ``expectations.yml``, and those that its contract or mart implies.

This does not import Great Expectations.
"""

import hashlib
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from promptsales.documents import parse_yaml
from promptsales.errors import ConfigError
from promptsales.specs import derived
from promptsales.specs.feed import Contract
from promptsales.specs.mart import Mart
from promptsales.specs.stream import StreamContract

OnFail = Literal["quarantine", "block", "warn"]

# clocks differ: the times in a row may be this much later than its commit or its read
CLOCK_TOLERANCE = timedelta(minutes=5)

_OF_TYPES = ("expect_column_values_to_be_of_type", "expect_column_values_to_be_in_type_list")
_REMOVE = (
    "the file holds rules of the domain only, those on nulls, keys and types follow from required, key, grain and type "
    "of contract.yml or mart.yml; remove it"
)
_KEEP_THE_NAME = "and write `missing: NAME` on a required column to keep the name of its rule"


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Meta(_Model):
    """What the pipeline adds to an expectation: its rule name and what a failure does."""

    rule: str
    on_fail: OnFail


class Expectation(_Model):
    """An expectation in the form of Great Expectations, with the pipeline's ``meta``."""

    type: str
    kwargs: dict[str, Any]
    meta: Meta
    description: str

    @property
    def query(self) -> str | None:
        """The SQL of a rule over several columns or tables; it selects the key of each row that breaks the rule."""
        return self.kwargs.get("unexpected_rows_query")


class Suite(_Model):
    """All expectations of a table; ``checksum`` changes with any of them."""

    name: str
    checksum: str
    expectations: tuple[Expectation, ...]

    @property
    def by_rule(self) -> dict[str, Expectation]:
        """The expectations by rule name."""
        return {expectation.meta.rule: expectation for expectation in self.expectations}


def read_suite(table: Contract | StreamContract | Mart) -> Suite:
    """Return the rules of a table's file, and those that its contract or mart implies.

    Raises:
        ConfigError: when the file is missing or invalid, or holds a rule that is implied, with the file and the rule.
    """
    path = table.folder / "expectations.yml"
    suite = _read(path)
    first = tuple(map(Expectation.model_validate, derived.derive_from_nulls_and_keys(table)))
    types = () if isinstance(table, Mart) else derived.derive_from_types(table.columns)
    last = tuple(map(Expectation.model_validate, types))
    _refuse_implied(path, suite, first + last)
    # the descriptions contain the range of business dates, so that another range checks quarantined rows again
    text = suite.checksum + "".join(expectation.model_dump_json() for expectation in first + last)
    checksum = hashlib.sha256(text.encode()).hexdigest()[:16]
    return suite.model_copy(update={"expectations": first + suite.expectations + last, "checksum": checksum})


def _refuse_implied(path: Path, suite: Suite, implied: tuple[Expectation, ...]) -> None:
    """Raise ConfigError for a rule of the file that is implied, or has the name of one that is."""
    for rule in suite.expectations:
        name = rule.meta.rule
        if rule.type in _OF_TYPES:
            raise ConfigError(f"suite {path}: rule {name} repeats the type of a column; {_REMOVE}")
        for derived_rule in implied:
            if (rule.type, rule.kwargs) == (derived_rule.type, derived_rule.kwargs):
                raise ConfigError(
                    f"suite {path}: rule {name} repeats {derived_rule.meta.rule}; {_REMOVE}, {_KEEP_THE_NAME}"
                )
            if name == derived_rule.meta.rule:
                raise ConfigError(f"suite {path}: rule {name} has the name of an implied rule; rename it")


@cache
def _read(path: Path) -> Suite:
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        raise ConfigError(f"no suite {path}: a table without checks is not loaded; add the file") from None
    document = parse_yaml(text, f"suite {path}")
    try:
        suite = Suite.model_validate(
            {"name": path.parent.name, "checksum": hashlib.sha256(text).hexdigest()[:16], **document}
        )
    except (ValidationError, TypeError) as error:
        raise ConfigError(f"suite {path}: {' '.join(str(error).split())}") from None
    if len(suite.by_rule) != len(suite.expectations):
        raise ConfigError(f"suite {path}: two expectations have the same meta.rule; rename one of them")
    return suite
