"""``hash_at: source``: the blocks of a hashing view are passed on unread."""

from datetime import datetime

import psycopg

from promptsales.extract import delta
from promptsales.extract.frontier import read_frontier
from promptsales.extract.postgres import PostgresReader, counted
from promptsales.extract.visible import refuse_hidden_rows
from promptsales.feeds import staging
from promptsales.feeds.reader import CheckedKey, Copied, ReadRequest

# a view reads with its owner's rights, whoever asks it
OWNER = "etl_owner"


class ViewReader(PostgresReader):
    """One extraction through a feed's hashing view; neither clear text nor key leaves the source."""

    def read_clock(self) -> datetime:
        """The frontier, by ``etl.frontier()``."""
        self.frontier = read_frontier(self.source)
        return self.frontier.read_at

    def read_key(self) -> CheckedKey | None:
        """The key the source hashes with."""
        return delta.read_key(self.contract, self.source)

    def refuse_drift(self) -> None:
        """Compare the view with the contract, and see that it shows every row."""
        delta.refuse_drift(self.contract, self.source)
        refuse_hidden_rows(f"feed {self.contract.table}", self.source, f"etl.{self.contract.table}", OWNER)

    def count(self, wanted: ReadRequest) -> int:
        """Count on the view."""
        rows = delta.predicate(self.contract, wanted.window, wanted.watermark, wanted.retries)
        return counted(self.source, delta.view(self.contract), rows)

    def copy_into(self, warehouse: psycopg.Connection, wanted: ReadRequest) -> Copied:
        """Pass the blocks of a COPY on."""
        out = delta.copy_out(self.contract, wanted.extraction, wanted.window, wanted.watermark, wanted.retries)
        into = staging.copy_in(self.contract)
        with self.source.cursor() as reader, warehouse.cursor() as writer:
            with reader.copy(out) as blocks, writer.copy(into) as sink:
                for block in blocks:
                    sink.write(block)
            return Copied(writer.rowcount)
