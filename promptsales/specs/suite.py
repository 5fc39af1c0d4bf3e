"""Read ``expectations.yml``: the rules of a table and what a failure does. This does not import Great Expectations."""

import hashlib
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, Literal, Protocol

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from promptsales.errors import ConfigError
from promptsales.specs import derived
from promptsales.specs.feed import Column, Contract
from promptsales.specs.stream import StreamContract

OnFail = Literal["quarantine", "block", "warn"]

# clocks differ: the times in a row may be this much later than its commit or its read
CLOCK_TOLERANCE = timedelta(minutes=5)


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Meta(_Model):
    """What the pipeline adds to an expectation: its rule name and what a failure does."""

    rule: str
    on_fail: OnFail
    is_derived: bool = False


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


class _Folder(Protocol):
    @property
    def folder(self) -> Path: ...


def read_suite(contract: _Folder) -> Suite:
    """Return the suite of a mart, feed or streamed table; the latter two include the rules that their columns imply.

    Raises:
        ConfigError: when the file is missing or invalid, with the file, the key and what is allowed.
    """
    suite = read_suite_of(contract.folder)
    return _with_derived(suite, contract.columns) if isinstance(contract, Contract | StreamContract) else suite


def _with_derived(suite: Suite, columns: tuple[Column, ...]) -> Suite:
    implied = tuple(map(Expectation.model_validate, derived.derive_expectations(columns)))
    # the descriptions contain the range of business dates, so that another range checks quarantined rows again
    text = suite.checksum + "".join(expectation.description for expectation in implied)
    checksum = hashlib.sha256(text.encode()).hexdigest()[:16]
    return suite.model_copy(update={"expectations": suite.expectations + implied, "checksum": checksum})


def read_suite_of(folder: Path) -> Suite:
    """Return the suite in a table's folder; raises what `read_suite` raises."""
    return _read(folder / "expectations.yml")


@cache
def _read(path: Path) -> Suite:
    try:
        text = path.read_bytes()
        suite = Suite.model_validate(
            {"name": path.parent.name, "checksum": hashlib.sha256(text).hexdigest()[:16], **yaml.safe_load(text)}
        )
    except FileNotFoundError:
        raise ConfigError(f"no suite {path}: a table without checks is not loaded; add the file") from None
    except (ValidationError, yaml.YAMLError, TypeError) as error:
        raise ConfigError(f"suite {path}: {' '.join(str(error).split())}") from None
    if len(suite.by_rule) != len(suite.expectations):
        raise ConfigError(f"suite {path}: two expectations have the same meta.rule; rename one of them")
    return suite
