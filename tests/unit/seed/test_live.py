"""The live changes to the systems."""

import re
from pathlib import Path

import pytest

from promptsales import seed
from promptsales.seed import live_events

FILES = sorted((Path(seed.__file__).parent / "sql").glob("*.sql"))
PERSONAL = {
    "first_name",
    "last_name",
    "email",
    "phone",
    "click_id",
    "landing_page_url",
    "company_name",
    "subject",
    "body",
}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_no_statement_takes_a_personal_value(file: Path) -> None:
    assert not PERSONAL & set(re.findall(r"%\((\w+)\)s", file.read_text()))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_statement_is_used(file: Path) -> None:
    texts = [path.read_text() for path in file.parent.parent.glob("*.py")]

    assert any(f'"{file.stem}"' in text for text in texts)


def test_every_event_happens() -> None:
    defined = {
        name
        for name, value in vars(live_events).items()
        if callable(value) and getattr(value, "__module__", "") == live_events.__name__ and name[0].islower()
    }

    assert defined == {event.__name__ for event in live_events.EVENTS}
