"""A rotation that says each step on its standard output and waits for a line before it goes on; to be killed."""

from promptsales.cli.load import load_feed
from promptsales.privacy.rotation import rotate
from promptsales.settings import settings
from tests.faults.stepwise import say


def main() -> None:
    """Run a rotation, step by step."""
    say("started")
    rotate(settings(), 30, lambda feed: load_feed(feed, None, "rotating"), say)
    say("finished")


if __name__ == "__main__":
    main()
