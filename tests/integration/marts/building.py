"""A build that prints each step and waits for a line on standard input before it continues; tests kill it.

The connection comes from libpq's variables: every user of the machine can read a command line.
"""

import sys
from datetime import datetime

import psycopg

from promptsales.marts.build import build
from promptsales.marts.plan import BuildRequest
from promptsales.settings import settings
from spark_jobs import jobs


def main(as_of: str) -> None:
    """Build one mart step by step."""

    def say(mart: str, step: str) -> None:
        print(step, flush=True)
        sys.stdin.readline()

    with psycopg.connect(autocommit=True) as warehouse:
        build(
            ["campaign_performance_daily"],
            warehouse,
            settings(),
            BuildRequest(datetime.fromisoformat(as_of), "kill"),
            jobs,
            report=say,
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
