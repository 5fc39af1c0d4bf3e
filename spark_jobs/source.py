"""Read the warehouse through JDBC, partitioned by the days that are built, from one snapshot."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from psycopg import sql
from pyspark.sql import DataFrame, SparkSession

from promptsales.marts.span import Span

# rows that the JDBC driver fetches at a time; by default it would load a whole partition into memory
FETCH = 10_000


@dataclass(frozen=True)
class WarehouseReader:
    """The warehouse as a job reads it.

    ``url`` and ``properties`` are for JDBC, ``snapshot`` is one that the caller has exported and holds, and ``folder``
    is the mart's folder.
    """

    spark: SparkSession
    url: str
    properties: Mapping[str, str]
    snapshot: str
    span: Span
    partitions: int
    folder: Path

    def table(self, name: str, *columns: str) -> DataFrame:
        """Return columns of all rows of a table, which should be small compared with the facts."""
        query = sql.SQL("select {} from {}").format(
            sql.SQL(", ").join(map(sql.Identifier, columns)), sql.Identifier(*name.split("."))
        )
        return self._read(query)

    def within(self, name: str, time: str, *columns: str) -> DataFrame:
        """Return the rows of a table, including deleted ones, whose ``time`` is in the days that are built."""
        names = dict.fromkeys((time, *columns))
        query = sql.SQL("select {} from {}").format(
            sql.SQL(", ").join(map(sql.Identifier, names)), sql.Identifier(*name.split("."))
        )
        return self._read(query, self._predicates(time, is_date=not time.endswith("_at")))

    def query(self, name: str, within: str | None = None) -> DataFrame:
        """Return the rows of a query in the mart's folder.

        Args:
            name: name of the file, without ``.sql``.
            within: a date or time column that limits the rows to the built days; times end in ``_at``.
        """
        text = (self.folder / f"{name}.sql").read_text(encoding="utf-8")
        query = sql.SQL(text).format(
            starts=[start for start, _ in self.span.ranges],
            ends=[end for _, end in self.span.ranges],
            zone=sql.Literal(self.span.zone),
        )
        predicates = self._predicates(within, is_date=not within.endswith("_at")) if within else None
        return self._read(query, predicates)

    def _predicates(self, column: str, *, is_date: bool) -> list[str]:
        def bound(day: date) -> sql.Literal:
            return sql.Literal(day if is_date else self.span.instant(day))

        template = sql.SQL("{0} >= {1} and {0} < {2}")
        slices = [
            template.format(sql.Identifier(column), bound(start), bound(end)).as_string()
            for start, end in self.span.slices(self.partitions)
        ]
        # without a predicate Spark would read the whole table
        return slices or ["false"]

    def _read(self, query: sql.Composed, predicates: list[str] | None = None) -> DataFrame:
        properties = {
            **self.properties,
            "fetchsize": str(FETCH),
            "sessionInitStatement": sql.SQL(
                "set transaction isolation level repeatable read; set transaction snapshot {}"
            )
            .format(sql.Literal(self.snapshot))
            .as_string(),
        }
        relation = f"({query.as_string()}) as source"
        if predicates:
            return self.spark.read.jdbc(self.url, relation, predicates=predicates, properties=properties)
        return self.spark.read.jdbc(self.url, relation, properties=properties)
