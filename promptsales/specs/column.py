"""A column of a contract: its type, its class of personal data, and how it is made from the source.

The class decides which transforms let the column leave its source.
"""

import re
from collections.abc import Iterable
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from promptsales.documents import Document
from promptsales.names import Name

# as format_type() of PostgreSQL writes it
Type = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9 ]*(\([0-9]+(,[0-9]+)?\))?( with time zone)?(\[\])?$")]
Transform = Literal[
    "as_is",
    "email_hmac",
    "phone_hmac",
    "click_id_hmac",
    "text_hmac",
    "text_length",
    "is_email_valid",
    "redacted",
    "redacted_url",
    "pii_kid",
    "deleted_at",
]
# these have no column at the source: they come from the hashing key or the change stream
MADE_HERE: frozenset[Transform] = frozenset({"pii_kid", "deleted_at"})
# text without the e-mail addresses and phone numbers that people typed into it
REDACTED: frozenset[Transform] = frozenset({"redacted", "redacted_url"})
PiiClass = Literal["direct", "quasi", "free_text", "pseudonymous", "none"]

# how a column of each class may leave its source
ALLOWED_TRANSFORMS: dict[PiiClass, frozenset[Transform]] = {
    "direct": frozenset({"email_hmac", "phone_hmac", "is_email_valid"}),
    "quasi": frozenset({"as_is", *REDACTED}),
    "free_text": frozenset({"text_hmac", "text_length", *REDACTED}),
    "pseudonymous": frozenset({"as_is", "click_id_hmac"}),
    "none": frozenset({"as_is", *MADE_HERE}),
}

# text in which nothing fits that is an address or a number: codes of countries and currencies
_SHORT = re.compile(r"character\([1-4]\)")
_TEXT = re.compile(r"(text|character( varying)?(\([0-9]+\))?)(\[\])?")


class Column(Document):
    """A column of the core table and the column or field at the source from which it is made."""

    name: Name
    source: str | None = Field(default=None, description="column or field at the source, if it has another name")
    type: Type
    transform: Transform = "as_is"
    required: bool = Field(default=False, description="no row may lack it: a rule of the table's suite")
    missing: Name | None = Field(default=None, description="name of that rule, where it is not <name>_missing")
    pii: PiiClass
    description: str

    @model_validator(mode="after")
    def _missing_names_a_rule(self) -> Self:
        if self.missing and not self.required:
            raise ValueError(
                f"{self.name} has missing: {self.missing} but no required: true, so there is no such rule; "
                "add required: true or remove missing"
            )
        return self

    @model_validator(mode="after")
    def _typed_text_is_redacted(self) -> Self:
        is_text = self.has_text and not _SHORT.fullmatch(self.type)
        if is_text and self.pii == "quasi" and self.transform == "as_is":
            raise ValueError(
                f"{self.name} is text of class quasi, into which people type addresses and phone numbers; use redacted"
            )
        if self.transform in REDACTED and not is_text:
            raise ValueError(f"{self.name} is {self.type}, which cannot be {self.transform}; only text can")
        return self

    @property
    def has_text(self) -> bool:
        """Whether the column holds text, or a list of texts."""
        return _TEXT.fullmatch(self.type) is not None

    @property
    def origin(self) -> str:
        """Name of the column or field at the source."""
        return self.source or self.name

    @property
    def missing_rule(self) -> str:
        """The name of the rule that a null in the column breaks."""
        return self.missing or f"{self.name}_missing"


def refuse_redacted_key(columns: Iterable[Column], key: str) -> None:
    """Check that the key is not redacted.

    Raises:
        ValueError: when it is, because two rows would become one.
    """
    if any(column.name == key and column.transform in REDACTED for column in columns):
        raise ValueError(f"{key} is the key, so it cannot be redacted: two rows would become one; use as_is")
