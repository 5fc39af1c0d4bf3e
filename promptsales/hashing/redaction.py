"""Take e-mail addresses and phone numbers out of text that people typed, in Python and in SQL side by side.

`tests/vectors/redacted.yml` states the shapes and checks both. They are ASCII only, as the locale decides what else is
a space or a digit. `MASK` is shorter than any match, so that no value outgrows its column.
"""

import re
from collections.abc import Callable
from typing import Any

from psycopg import sql

from promptsales.specs.column import Column, Transform

MASK = "***"

# an address: a run of signs that holds an @, or its form in a URL, and later a dot
_BETWEEN = r' \t\n\r\f\v<>()\[\]{}",;:|/?&=#'
_TOKEN = re.compile(f"[^{_BETWEEN}]+")
# \u0025 is the percent sign, which a statement with parameters would read as one
_EMAIL_SQL = rf"[^{_BETWEEN}]+(?:@|\u002540)[^{_BETWEEN}]+[.][^{_BETWEEN}]+"

# a number stands alone, unlike the groups of a uuid or the digits of another id. Plain digits are an id of an ad
_BEFORE, _AFTER = "(?<![0-9A-Za-z_.,-])", "(?!-?[0-9A-Za-z_])"
# room for two numbers with a dash between them, and not for a uuid of digits
_MORE = "(?:[ ./()-]{0,3}[0-9]){6,22}"
_INTERNATIONAL = rf"(?:\+|\u00252[Bb])[ (]?[0-9]{_MORE}"
_NATIONAL = rf"{_BEFORE}\(?0(?:[0-9]{{2}}{_MORE}|[1-9](?:[ .-][0-9]{{2}}){{4}}){_AFTER}"
# area, exchange and line of the North American plan
_AMERICAN = rf"{_BEFORE}(?:1[ .-])?(?:\([2-9][0-9]{{2}}\) ?|[2-9][0-9]{{2}}[ .-])[2-9][0-9]{{2}}[ .-][0-9]{{4}}{_AFTER}"
_PHONE_SQL = f"{_INTERNATIONAL}|{_NATIONAL}|{_AMERICAN}"
_PHONE = re.compile(_PHONE_SQL)

# every match has one of these, and looking for them costs a fifth of looking for a match
_HINT_SQL = r"[@+]|\u002540|\u00252[Bb]|(?:^|[^0-9])0[0-9]|[0-9][ .)-]"

_QUERY_SQL = "[?#].*"
_QUERY = re.compile(_QUERY_SQL, re.DOTALL)


def redact(value: str) -> str:
    """Return a text without e-mail addresses and phone numbers; a redacted text stays as it is."""
    # numbers first: a number between an @ and a dot leaves the shape of an address
    return _TOKEN.sub(_redact_token, _PHONE.sub(MASK, value))


def _redact_token(match: re.Match[str]) -> str:
    # linear, where a pattern would try each @ with each dot
    token = match[0]
    _, at, domain = token[1:].replace("%40", "@").partition("@")
    return MASK if at and "." in domain[1:-1] else token


def redact_url(value: str) -> str:
    """Return a URL without its query and fragment, e-mail addresses and phone numbers."""
    return redact(_QUERY.sub("", value))


REDACTIONS: dict[Transform, Callable[[str], str]] = {"redacted": redact, "redacted_url": redact_url}


def make_redaction(column: Column) -> Callable[[Any], Any]:
    """Return the function that redacts a value of a column: a text or a list of texts."""
    redaction = REDACTIONS[column.transform]
    if not column.type.endswith("[]"):
        return redaction
    return lambda values: [None if value is None else redaction(value) for value in values]


def redact_json(text: str) -> str:
    """Return a JSON value, or the mask as JSON if anything in it is an e-mail address or a phone number."""
    return text if redact(text) == text else f'"{MASK}"'


def compose_json_redaction(value: sql.Composable) -> sql.Composed:
    """Compose a value of type jsonb as `redact_json` returns it."""
    text = sql.SQL("{}::text").format(value)
    return sql.SQL("case when {} = {} then {} else {} end").format(
        _compose("redacted", value), text, value, sql.Literal(f'"{MASK}"')
    )


def compose_redaction(column: Column, value: sql.Composable) -> sql.Composed:
    """Compose a value of a column without e-mail addresses and phone numbers; its type becomes text or text[]."""
    if not column.type.endswith("[]"):
        return _compose(column.transform, value)
    items = _compose(column.transform, sql.Identifier("u", "item"))
    return sql.SQL(
        "case when {0} is not null then "
        "array(select {1} from unnest({0}) with ordinality as u(item, place) order by place) end"
    ).format(value, items)


def _compose(transform: Transform, value: sql.Composable) -> sql.Composed:
    # nondeterministic collations allow no patterns
    text = sql.SQL('{}::text collate "C"').format(value)
    if transform == "redacted_url":
        return _replace(_replace(_replace(text, _QUERY_SQL, ""), _PHONE_SQL, MASK), _EMAIL_SQL, MASK)
    return sql.SQL("case when {} ~ {} then {} else {}::text end").format(
        text, sql.Literal(_HINT_SQL), _replace(_replace(text, _PHONE_SQL, MASK), _EMAIL_SQL, MASK), value
    )


def _replace(text: sql.Composable, pattern: str, instead: str) -> sql.Composed:
    return sql.SQL("regexp_replace({}, {}, {}, 'g')").format(text, sql.Literal(pattern), sql.Literal(instead))
