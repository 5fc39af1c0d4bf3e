"""Reading the warehouse: by JDBC, partitioned by the days that are built, all from one snapshot."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from psycopg import sql
from pyspark.sql import DataFrame, SparkSession

from promptsales.marts.span import Span

# rows the driver fetches at a time; without it all of a partition would lie in memory
FETCH = 10_000


@dataclass(frozen=True)
class Source:
    """What a job reads from.

    ``url`` and ``properties`` are the warehouse's address for JDBC, ``snapshot`` is one that the caller exported and
    holds, ``folder`` is the mart's own.
    """

    spark: SparkSession
    url: str
    properties: Mapping[str, str]
    snapshot: str
    span: Span
    partitions: int
    folder: Path

    def table(self, name: str, *columns: str) -> DataFrame:
        """All rows of a table that is small beside the facts, by columns."""
        query = sql.SQL("select {} from {}").format(
            sql.SQL(", ").join(map(sql.Identifier, columns)), sql.Identifier(*name.split("."))
        )
        return self._read(query)

    def within(self, name: str, time: str, *columns: str) -> DataFrame:
        """The rows of a table whose ``time`` lies in the days that are built; deleted ones are left to the job."""
        names = dict.fromkeys((time, *columns))
        query = sql.SQL("select {} from {}").format(
            sql.SQL(", ").join(map(sql.Identifier, names)), sql.Identifier(*name.split("."))
        )
        return self._read(query, self._predicates(time, is_date=not time.endswith("_at")))

    def query(self, name: str, within: str | None = None) -> DataFrame:
        """A query of the mart's folder; ``within`` names a date or a time (by its ending) to read the built days by."""
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
