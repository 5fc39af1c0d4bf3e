"""The findings of `promptsales doctor`."""

from typing import NamedTuple


class Finding(NamedTuple):
    """A problem: where it is, what is wrong, and what to do."""

    where: str
    what: str
    todo: str
