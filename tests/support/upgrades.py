"""A warehouse as an earlier release left it."""

from dataclasses import replace
from itertools import takewhile

import psycopg

from promptsales.provision.lines import list_lines
from promptsales.provision.migrations import migrate, prepare, transaction


def migrate_before(admin: psycopg.Connection, *names: str) -> None:
    """Apply the migrations of an empty warehouse, of each line those before the file that ends in one of the names."""
    with transaction(admin) as bound:
        prepare(admin)
        for line in list_lines("warehouse"):
            earlier = takewhile(lambda migration: not migration.name.endswith(names), line.migrations)
            migrate(bound, replace(line, migrations=tuple(earlier)))
