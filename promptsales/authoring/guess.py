"""Guess what a column contains, by its name and type.

A guess fails closed: a column that may be personal is hashed or not read until a person changes the draft.
"""

import re
from typing import NamedTuple

from promptsales.authoring.relation import SourceColumn
from promptsales.specs.column import PiiClass, Transform

HASH = "bytea"


class Target(NamedTuple):
    """A column of core that is derived from a column of the source."""

    name: str
    type: str
    transform: Transform
    pii: PiiClass


class Guess(NamedTuple):
    """The columns of core for a column of the source, or none, and the reason."""

    targets: tuple[Target, ...]
    why: str


# matched as whole words of a name, which underscores separate
_WORDS: dict[str, str] = {
    "email": r"e?mail|mail_address",
    "phone": r"phone|mobile|cell|tel|telephone|fax|msisdn|whatsapp",
    "click": r"click_id|gclid|fbclid|msclkid|ttclid|dclid|wbraid|gbraid",
    "person": r"name|surname|nickname|birth\w*|dob|born|age|gender|sex|address|street|city|zip|postal|postcode|"
    r"geo|lat|latitude|lon|lng|longitude|location|ip|ssn|iban|bic|tax|vat|passport|password|secret|token|card|"
    r"cookie|device|user_agent|fingerprint|session|login|username|twitter|linkedin|facebook|instagram|url|photo|avatar",
    "quasi": r"company|organi[sz]ation|employer|job|title|department|industry|country|region|language|locale",
    "safe": r"status|state|type|kind|category|source|medium|campaign|utm|currency|code|plan|tier|level|role|stage|"
    r"channel|priority|outcome|direction|provider|platform|model|version|tool",
}
_TEXTS = ("character", "text", "citext", "name", "json", "xml", "tsvector", "inet", "cidr", "macaddr", "bytea")
# types that a contract can have and whose values identify nobody
_PLAIN = re.compile(
    r"(uuid|boolean|smallint|integer|bigint|real|double precision|date|numeric(\(\d+,\d+\))?|"
    r"timestamp(\(\d\))? with(out)? time zone|time without time zone|interval)"
)


def make_guess(column: SourceColumn) -> Guess:
    """Return a guess for a column."""
    if _is(column, "email"):
        return Guess(_email(column), "an e-mail address by its name")
    if _is(column, "phone"):
        return Guess(_hashed(column, "phone_hmac", "direct"), "a phone number by its name")
    if _is(column, "click"):
        return Guess(_hashed(column, "click_id_hmac", "pseudonymous"), "an online id by its name")
    # before the checks of names, because the values of a check constraint are public in the schema
    if column.values:
        return Guess(_as_is(column, "none"), "one of a list of values")
    for kind, why in (("person", "says something about a person"), ("quasi", "may single a person out")):
        if _is(column, kind):
            return Guess((), f"{why} by its name")
    if column.type.startswith(_TEXTS):
        return _guess_text(column)
    if not _PLAIN.fullmatch(column.type):
        return Guess((), f"of type {column.type}")
    is_reference = column.type == "uuid" and not column.is_key and _names_a_person(column)
    return Guess(_as_is(column, "pseudonymous" if is_reference else "none"), f"{column.type}, nothing personal by name")


def _is(column: SourceColumn, kind: str) -> bool:
    return re.search(rf"(^|_)({_WORDS[kind]})s?(_|$)", column.plain) is not None


def _names_a_person(column: SourceColumn) -> bool:
    return (
        re.search(r"(^|_)(user|owner|contact|lead|person|customer|author|creator|member|assignee)(_|$)", column.plain)
        is not None
    )


def _guess_text(column: SourceColumn) -> Guess:
    is_short = column.type.startswith("character")
    if is_short and _is(column, "safe"):
        return Guess((Target(column.plain, column.type, "redacted", "free_text"),), "a label by its name")
    return Guess((), "text that may hold anything")


def _email(column: SourceColumn) -> tuple[Target, ...]:
    return (
        *_hashed(column, "email_hmac", "direct"),
        Target(f"is_{column.plain}_valid", "boolean", "is_email_valid", "direct"),
    )


def _hashed(column: SourceColumn, transform: Transform, pii: PiiClass) -> tuple[Target, ...]:
    return (Target(f"{column.plain}_hmac", HASH, transform, pii),)


def _as_is(column: SourceColumn, pii: PiiClass) -> tuple[Target, ...]:
    # the sources store naive times in UTC
    kind = re.sub(r"^(timestamp(\(\d\))?) without time zone$", r"\1 with time zone", column.type)
    return (Target(column.plain, kind, "as_is", pii),)
