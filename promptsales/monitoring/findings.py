"""What `promptsales doctor` finds."""

from typing import NamedTuple


class Finding(NamedTuple):
    """One thing that is wrong, and what to do."""

    where: str
    what: str
    todo: str
