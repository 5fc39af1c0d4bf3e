"""Read a feed with ``hash_at: source``: the COPY blocks of its hashing view are passed to the warehouse undecoded."""

from datetime import datetime

import psycopg

from promptsales.extract import delta
from promptsales.extract.frontier import read_frontier
from promptsales.extract.postgres import PostgresReader, count_rows
from promptsales.extract.visible import refuse_hidden_rows
from promptsales.feeds import staging
from promptsales.feeds.reader import Copied, ReadRequest
from promptsales.hashing.keys import CheckedKey

# a view reads with the rights of its owner
OWNER = "etl_owner"


class ViewReader(PostgresReader):
    """An extraction through a feed's hashing view; neither clear text nor the key leaves the source."""

    def read_clock(self) -> datetime:
        """Read the frontier from ``etl.frontier()`` and return the source's clock."""
        self.frontier = read_frontier(self.source)
        return self.frontier.read_at

    def read_key(self) -> CheckedKey | None:
        """Return the number and check value of the key the source hashes with."""
        return delta.read_key(self.contract, self.source)

    def refuse_drift(self) -> None:
        """Check that the view fits the contract and shows every row."""
        delta.refuse_drift(self.contract, self.source)
        refuse_hidden_rows(f"feed {self.contract.table}", self.source, f"etl.{self.contract.table}", OWNER)

    def count(self, request: ReadRequest) -> int:
        """Count the rows on the view."""
        rows = delta.predicate(self.contract, request.window, request.watermark, request.retries)
        return count_rows(self.source, delta.view(self.contract), rows)

    def copy_into(self, warehouse: psycopg.Connection, request: ReadRequest) -> Copied:
        """Pass the blocks of the COPY from the view to the COPY into staging."""
        out = delta.copy_out(self.contract, request.extraction, request.window, request.watermark, request.retries)
        into = staging.copy_in(self.contract)
        with self.source.cursor() as reader, warehouse.cursor() as writer:
            with reader.copy(out) as blocks, writer.copy(into) as sink:
                for block in blocks:
                    sink.write(block)
            return Copied(writer.rowcount)
