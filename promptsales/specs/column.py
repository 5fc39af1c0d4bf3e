"""A column of a contract: its type, its class of personal data, and how it is made from the source.

The class decides which transforms let the column leave its source.
"""

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
    "pii_kid",
    "deleted_at",
]
# these have no column at the source: they come from the hashing key or the change stream
MADE_HERE: frozenset[Transform] = frozenset({"pii_kid", "deleted_at"})
PiiClass = Literal["direct", "quasi", "free_text", "pseudonymous", "none"]

# how a column of each class may leave its source
ALLOWED_TRANSFORMS: dict[PiiClass, frozenset[Transform]] = {
    "direct": frozenset({"email_hmac", "phone_hmac", "is_email_valid"}),
    "quasi": frozenset({"as_is"}),
    "free_text": frozenset({"text_hmac", "text_length"}),
    "pseudonymous": frozenset({"as_is", "click_id_hmac"}),
    "none": frozenset({"as_is", *MADE_HERE}),
}


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

    @property
    def origin(self) -> str:
        """Name of the column or field at the source."""
        return self.source or self.name

    @property
    def missing_rule(self) -> str:
        """The name of the rule that a null in the column breaks."""
        return self.missing or f"{self.name}_missing"
