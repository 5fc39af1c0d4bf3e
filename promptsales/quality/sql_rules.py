"""Rules in SQL: each is run as it is written, on the table that is checked, and its rows are counted, not fetched.

Great Expectations would read a rule three times before PostgreSQL does: for braces, for colons and for percent signs.
Fetched rows are for a report we do not make, and no value of theirs may reach a log.
"""

import re

import psycopg
from psycopg import sql

from promptsales.errors import describe, is_transient
from promptsales.quality.verdict import Verdict
from promptsales.specs.suite import Expectation

# what PostgreSQL does not look into, then what is ours to replace: the table, and the end of the statement
_PARTS = re.compile(
    r"""
    (?P<kept> [eE]'(?:[^'\\]|\\.|'')*' | '[^']*' | "[^"]*" | (?P<tag>\$\w*\$).*?(?P=tag) | --[^\n]* | /\*.*?\*/ )
    | (?P<batch> \{batch\} )
    | ;
    """,
    re.S | re.X,
)


def found_by(query: str, batch: sql.Composable) -> str:
    """Return the statement of a rule with the table in the place of ``{batch}``; strings and comments stay."""
    table = batch.as_string()
    statement = _PARTS.sub(lambda part: table if part["batch"] else part["kept"] or "", query)
    # a comment may end it
    return f"{statement}\n"


def judge(expectation: Expectation, warehouse: psycopg.Connection, batch: sql.Composable) -> Verdict:
    """Count the rows that a rule in SQL finds.

    Raises:
        psycopg.Error: when the same call may succeed later; a rule that cannot run has failed.
    """
    found = sql.SQL(found_by(expectation.query or "", batch))
    try:
        row = warehouse.execute(sql.SQL("select count(*) from ({}) as found").format(found)).fetchone()
    except psycopg.Error as error:
        if is_transient(error):
            raise
        return Verdict(expectation, False, None, 0, [], describe(error))
    count = row[0] if row else 0
    return Verdict(expectation, count == 0, None, count, [], None)
