"""Run the rules in SQL without Great Expectations, and count the rows they select.

Great Expectations interprets braces, colons and percent signs in a rule before PostgreSQL parses it. It also fetches
the rows for its report, and their values must not reach a log.
"""

import re

import psycopg
from psycopg import sql

from promptsales.errors import describe, is_transient
from promptsales.quality.verdict import Verdict
from promptsales.specs.suite import Expectation

# first what is kept as it is (strings, quoted names, comments), then what is replaced: the table and the semicolon
_PARTS = re.compile(
    r"""
    (?P<kept> [eE]'(?:[^'\\]|\\.|'')*' | '[^']*' | "[^"]*" | (?P<tag>\$\w*\$).*?(?P=tag) | --[^\n]* | /\*.*?\*/ )
    | (?P<batch> \{batch\} )
    | ;
    """,
    re.S | re.X,
)


def compose_rule_query(query: str, batch: sql.Composable) -> str:
    """Return the statement of a rule with ``{batch}`` replaced by the table, except in strings and comments."""
    table = batch.as_string()
    statement = _PARTS.sub(lambda part: table if part["batch"] else part["kept"] or "", query)
    # the statement may end with a comment
    return f"{statement}\n"


def check_rule(expectation: Expectation, warehouse: psycopg.Connection, batch: sql.Composable) -> Verdict:
    """Count the rows that a rule in SQL selects; a rule that cannot run, or runs too long, has failed.

    Raises:
        psycopg.Error: when the same call may succeed later.
    """
    query = sql.SQL(compose_rule_query(expectation.query or "", batch))
    try:
        row = warehouse.execute(sql.SQL("select count(*) from ({}) as found").format(query)).fetchone()
    except psycopg.Error as error:
        if is_transient(error) and not isinstance(error, psycopg.errors.QueryCanceled):
            raise
        return Verdict(expectation, False, None, 0, [], describe(error))
    count = row[0] if row else 0
    return Verdict(expectation, count == 0, None, count, [], None)
