"""``health.py airflow`` or ``health.py stream``: check the service's health, as ``promptsales status`` does."""

import sys

from local.stack import services
from promptsales.errors import PipelineError
from promptsales.settings import settings


def main(name: str) -> int:
    """Print the service's version or problem, and return 0 when it is healthy, else 1."""
    service = next(service for service in services(settings()) if service.name == name)
    try:
        print(service.probe(started=0.0))
    except PipelineError as error:
        print(error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
