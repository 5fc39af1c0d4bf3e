"""What a provision did, one line a thing."""

from collections.abc import Callable

from pydantic import BaseModel, ConfigDict

OnProgress = Callable[[str], None]


class Change(BaseModel):
    """One thing that was brought to what the files say, or that a person must look at."""

    model_config = ConfigDict(frozen=True)

    system: str
    what: str
    is_warning: bool = False


def quiet(_: str) -> None:
    """Progress that nobody watches."""
