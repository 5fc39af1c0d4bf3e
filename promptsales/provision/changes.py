"""The changes that a provision reports."""

from collections.abc import Callable

from pydantic import BaseModel, ConfigDict

OnProgress = Callable[[str], None]


class ProvisionChange(BaseModel):
    """A change that was made, or a warning that a person must act on."""

    model_config = ConfigDict(frozen=True)

    system: str
    what: str
    is_warning: bool = False


def quiet(_: str) -> None:
    """Ignore progress."""
