"""The normal form of each kind of personal data, as a Python function and as a template of SQL side by side.

Both give the same text, and `tests/vectors/pii.yml` checks them. They use ASCII white space and A-Z only, because white
space and lower case depend on the locale. An empty normal form has no hash: Python returns an empty text, SQL null.
"""

import re
import unicodedata
from collections.abc import Callable
from typing import NamedTuple

from promptsales.specs.column import Transform

_SPACE = " \t\n\r\f\v"
_SPACE_SQL = r"E' \t\n\r\f\v'"
_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


def normalise_email(value: str) -> str:
    """Return the normal form of an e-mail address, which may be empty."""
    return unicodedata.normalize("NFC", value).strip(_SPACE).translate(_LOWER)


# normalising costs as much as hashing, and ASCII text is normal already
_NFC_SQL = (
    "case when octet_length({column}::text) = char_length({column}::text)"
    " then {column}::text else normalize({column}::text, nfc) end"
)
_EMAIL_SQL = "nullif(lower(btrim(" + _NFC_SQL + ", " + _SPACE_SQL + ") collate \"C\"), '')"

_NO_DIGIT = re.compile("[^0-9]+")


def normalise_phone(value: str) -> str:
    """Return a plus and the digits, or an empty text if there are none."""
    digits = _NO_DIGIT.sub("", value)
    return f"+{digits}" if digits else ""


_PHONE_SQL = "'+' || nullif(regexp_replace({column}::text, '[^0-9]', '', 'g'), '')"


def normalise_click_id(value: str) -> str:
    """Return the id without the white space around it."""
    return value.strip(_SPACE)


_CLICK_ID_SQL = "nullif(btrim({column}::text, " + _SPACE_SQL + "), '')"


def normalise_text(value: str) -> str:
    """Return the text as it is."""
    return value


_TEXT_SQL = "nullif({column}::text, '')"


class NormalForm(NamedTuple):
    """A normal form in Python and in SQL, and the domain that keeps equal texts of different kinds apart."""

    domain: str
    normalise: Callable[[str], str]
    sql: str

    @property
    def separator(self) -> bytes:
        """The bytes that are hashed before the normal form."""
        return separate(self.domain)


def separate(domain: str) -> bytes:
    """Return the bytes that are hashed before a text of a domain: the domain and a zero byte."""
    return domain.encode() + b"\0"


# the normal form that each transform hashes
NORMAL_FORMS: dict[Transform, NormalForm] = {
    "email_hmac": NormalForm("email", normalise_email, _EMAIL_SQL),
    "phone_hmac": NormalForm("phone", normalise_phone, _PHONE_SQL),
    "click_id_hmac": NormalForm("click_id", normalise_click_id, _CLICK_ID_SQL),
    "text_hmac": NormalForm("text", normalise_text, _TEXT_SQL),
}

# HMAC-SHA256(key, separator || value) from the pads; inline, a function would run with the reader's rights.
# Two active keys are an error here; without an active key hashes are null, and the extract refuses to read them
HMAC_SQL = (
    "sha256((select outer_pad from etl.pii_pad where is_active) || sha256(\n"
    "                    (select inner_pad from etl.pii_pad where is_active) || {separator}\n"
    "                    || convert_to({value}, 'UTF8')))"
)

_VALID = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+", re.ASCII)


def is_email_valid(value: str) -> bool | None:
    """Return whether an e-mail address is well formed; None when its normal form is empty."""
    address = normalise_email(value)
    return bool(_VALID.fullmatch(address)) if address else None


IS_EMAIL_VALID_SQL = _EMAIL_SQL + r" ~ '^[^@[:space:]]+@[^@[:space:]]+\.[^@[:space:]]+$'"


def measure_text(value: str) -> int:
    """Return the number of characters of a text."""
    return len(value)


TEXT_LENGTH_SQL = "char_length({column}::text)"
