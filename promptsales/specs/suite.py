"""``expectations.yml``: the rules of a table and what a failure does. Reading it needs no Great Expectations."""

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

# clocks differ: a row's times may be so much later than its commit, or than it was read (domain.md section 3)
CLOCK_TOLERANCE = timedelta(minutes=5)


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Meta(_Model):
    """Our own words on an expectation."""

    rule: str
    on_fail: OnFail
    is_derived: bool = False


class Expectation(_Model):
    """One expectation, as Great Expectations takes it; ``meta`` says its name here and what its failure does."""

    type: str
    kwargs: dict[str, Any]
    meta: Meta
    description: str

    @property
    def query(self) -> str | None:
        """The SQL of a rule that looks beyond single columns; selects the key of each row that breaks it."""
        return self.kwargs.get("unexpected_rows_query")


class Suite(_Model):
    """All expectations of one table; ``checksum`` tells a changed suite from the same."""

    name: str
    checksum: str
    expectations: tuple[Expectation, ...]

    @property
    def by_rule(self) -> dict[str, Expectation]:
        """The expectations by the names of their rules."""
        return {expectation.meta.rule: expectation for expectation in self.expectations}


class _Folder(Protocol):
    @property
    def folder(self) -> Path: ...


def read_suite(contract: _Folder) -> Suite:
    """Return the suite of a mart, or of a feed or streamed table with the rules that its columns imply.

    Raises:
        ConfigError: when the file is missing or wrong; names the file, the place and what is allowed.
    """
    suite = read_suite_of(contract.folder)
    return _with_derived(suite, contract.columns) if isinstance(contract, Contract | StreamContract) else suite


def _with_derived(suite: Suite, columns: tuple[Column, ...]) -> Suite:
    more = tuple(map(Expectation.model_validate, derived.expectations_of(columns)))
    # a quarantined row is judged again where these change: their description names the range
    text = suite.checksum + "".join(one.description for one in more)
    checksum = hashlib.sha256(text.encode()).hexdigest()[:16]
    return suite.model_copy(update={"expectations": suite.expectations + more, "checksum": checksum})


def read_suite_of(folder: Path) -> Suite:
    """The suite of a table's folder; raises what `read_suite` raises."""
    return _read(folder / "expectations.yml")


@cache
def _read(path: Path) -> Suite:
    try:
        text = path.read_bytes()
        suite = Suite.model_validate(
            {"name": path.parent.name, "checksum": hashlib.sha256(text).hexdigest()[:16], **yaml.safe_load(text)}
        )
    except FileNotFoundError:
        raise ConfigError(f"no suite {path}: a table without checks is not loaded") from None
    except (ValidationError, yaml.YAMLError, TypeError) as error:
        raise ConfigError(f"suite {path}: {' '.join(str(error).split())}") from None
    if len(suite.by_rule) != len(suite.expectations):
        raise ConfigError(f"suite {path}: two expectations have the same meta.rule")
    return suite
