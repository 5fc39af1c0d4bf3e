"""SCRAM verifiers equal an RFC's example."""

import pytest

from promptsales.provision.passwords import fits

# example of RFC 7677: password "pencil", 4096 rounds
KEPT = (
    "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY="
    ":wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
)


def test_right_password() -> None:
    assert fits(KEPT, "pencil")


@pytest.mark.parametrize(("kept", "password"), [(KEPT, "pen"), (None, "pencil"), ("", "pencil"), ("md5abc", "pencil")])
def test_wrong_password(kept: str | None, password: str) -> None:
    assert not fits(kept, password)
