"""Pages of a long list: "50 of 312", and the addresses of the pages before and after."""

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlencode

SIZE = 50


class Page(NamedTuple):
    """A page by its number, from 1."""

    number: int
    size: int = SIZE

    @property
    def skip(self) -> int:
        """How many rows come before it."""
        return (self.number - 1) * self.size


class Paging(NamedTuple):
    """What a page of a list says about itself."""

    text: str
    before: str | None
    after: str | None


def paged(page: Page, total: int, shown: int, chosen: Mapping[str, str]) -> Paging:
    """Return the text and the neighbours of a page.

    Args:
        page: the page.
        total: rows in all; 0 also on a page behind the last.
        shown: rows on this page.
        chosen: the filters, which the neighbours keep.
    """

    def link(number: int) -> str:
        return "?" + urlencode({key: value for key, value in {**chosen, "page": str(number)}.items() if value})

    first = page.skip + 1
    rows = f"{shown} of {total:,}" if first == 1 else f"{first:,} to {page.skip + shown:,} of {total:,}"
    has_more = page.skip + shown < total
    return Paging(
        rows if shown else "none", link(page.number - 1) if page.number > 1 else None,
        link(page.number + 1) if has_more else None,
    )  # fmt: skip
