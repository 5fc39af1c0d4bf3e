"""A load that says each step on its standard output and waits for a line before it goes on; to be killed."""

import sys

import psycopg

from promptsales.contracts import contract
from promptsales.load.steps import check, extract, publish
from promptsales.settings import settings


def main() -> None:
    """Run one delta of leads, step by step."""
    here, leads = settings(), contract("leads")
    with (
        psycopg.connect(here.address("promptcrm_etl")) as source,
        psycopg.connect(here.address("warehouse")) as warehouse,
    ):
        say("started")
        staged = extract(leads, source, warehouse, None, "stepwise")
        say("extracted")
        audit = check(leads, warehouse, staged)
        say("checked")
        publish(leads, warehouse, staged, audit)
        say("published")


def say(step: str) -> None:
    """Tell the parent, then wait for it."""
    print(step, flush=True)
    sys.stdin.readline()


if __name__ == "__main__":
    main()
