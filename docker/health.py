"""``health.py airflow`` or ``health.py stream``: ask the service how it is, as ``promptsales status`` does."""

import sys

from local.stack import services
from promptsales.errors import PipelineError
from promptsales.settings import settings


def main(name: str) -> int:
    """Exit code 0 when the service is well."""
    service = next(one for one in services(settings()) if one.name == name)
    try:
        print(service.probe(started=0.0))
    except PipelineError as error:
        print(error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
