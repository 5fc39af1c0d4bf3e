"""Rules in SQL, counted once."""

from typing import Any, ClassVar

from great_expectations.expectations import UnexpectedRowsExpectation


class UnexpectedRowsCounted(UnexpectedRowsExpectation):  # type: ignore[misc]  # it has no types
    """A rule in SQL whose rows are counted, not fetched: Great Expectations' own runs each query for both.

    Fetched rows are for a report we do not make, and no value of theirs may reach a log.
    """

    metric_dependencies: ClassVar[tuple[str, ...]] = ("unexpected_rows_query.row_count",)

    def _validate(self, metrics: dict[str, Any], *others: Any, **named: Any) -> Any:
        return super()._validate({"unexpected_rows_query.table": [], **metrics}, *others, **named)
