"""Invented people, companies and texts, drawn from pools that mimesis fills once because it is too slow per row.

Every domain ends in the reserved ``.example``, and every phone number is reserved for fiction (555-01xx).
"""

import unicodedata
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import NamedTuple

from mimesis import Finance, Locale, Person, Text

_LOCALES = (Locale.EN, Locale.ES, Locale.DE, Locale.FR, Locale.PT_BR)
_POOL = 200
_PROVIDERS = ("mail.example", "inbox.example", "post.example")
_PHONE_FORMS = ("+1{area}55501{line:02}", "+1 ({area}) 555-01{line:02}", "1-{area}-555-01{line:02}")
COUNTRIES = ("US", "GB", "DE", "FR", "ES", "MX", "BR", "CA", "CR", "NL")


class Name(NamedTuple):
    """A person's name and its form in an e-mail address."""

    first: str
    last: str
    slug: str


class Company(NamedTuple):
    """A company's name and its form in a domain."""

    name: str
    slug: str


@dataclass(frozen=True)
class Names:
    """The pools of names, companies, jobs and texts."""

    first: tuple[str, ...]
    last: tuple[str, ...]
    companies: tuple[Company, ...]
    jobs: tuple[str, ...]
    words: tuple[str, ...]
    sentences: tuple[str, ...]

    def name(self, rng: Random) -> Name:
        """Return a random name."""
        first, last = rng.choice(self.first), rng.choice(self.last)
        return Name(first, last, f"{_slug(first)}.{_slug(last)}")

    def email(self, rng: Random, name: Name, unique: str, domain: str) -> str:
        """Return an address at the company's domain or a provider's; ``unique`` makes it unique."""
        return f"{name.slug}{unique}@{rng.choice(_PROVIDERS) if rng.random() < 0.4 else domain}"


@cache
def names(number: int) -> Names:
    """Return the pools of a seed number."""
    people = [Person(locale, seed=number + offset) for offset, locale in enumerate(_LOCALES)]
    finance, text = Finance(Locale.EN, seed=number), Text(Locale.EN, seed=number)
    jobs = Person(Locale.EN, seed=number)
    return Names(
        first=tuple(person.first_name() for person in people for _ in range(_POOL)),
        last=tuple(person.last_name() for person in people for _ in range(_POOL)),
        companies=_companies(finance),
        jobs=tuple(jobs.occupation() for _ in range(_POOL)),
        words=tuple(dict.fromkeys(text.word().lower() for _ in range(_POOL))),
        sentences=tuple(text.sentence() for _ in range(_POOL)),
    )


def phone(rng: Random) -> str:
    """Return a phone number reserved for fiction, in one of several notations."""
    return rng.choice(_PHONE_FORMS).format(area=rng.randrange(201, 990), line=rng.randrange(100))


def _companies(finance: Finance) -> tuple[Company, ...]:
    unique_names = dict.fromkeys(finance.company() for _ in range(2 * _POOL))
    return tuple(Company(name, _slug(name)) for name in unique_names)


@cache
def _slug(text: str) -> str:
    """Return the ASCII letters and digits of a text."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return "".join(letter for letter in plain if letter.isalnum()) or "x"
