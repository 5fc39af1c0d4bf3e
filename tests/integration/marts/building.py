"""A build that prints each step and waits for a line on standard input before it continues; tests kill it."""

import sys
from datetime import datetime

import psycopg

from promptsales.marts.build import build
from promptsales.marts.plan import BuildRequest
from promptsales.settings import settings
from spark_jobs import jobs


def main(address: str, as_of: str) -> None:
    """Build one mart step by step."""

    def say(mart: str, step: str) -> None:
        print(step, flush=True)
        sys.stdin.readline()

    with psycopg.connect(address, autocommit=True) as warehouse:
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
