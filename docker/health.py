"""``health.py URL COMPONENT``: succeed when the page at the URL says that the component is healthy.

The check runs every half minute in four containers, so it imports our own code only when there is no page: a worker of
the stream has one only after the first `promptsales provision`.
"""

import json
import sys
from urllib.request import ProxyHandler, build_opener

STREAM = "stream"


def main(url: str, component: str) -> int:
    """Print the component's state, and return 0 when it is healthy, else 1."""
    try:
        # the page is in this network, whatever the settings say of proxies
        with build_opener(ProxyHandler({})).open(url, timeout=10) as answer:
            page = json.load(answer)
    except OSError as error:
        return _explain(component, f"{url} does not answer: {error}")
    # Airflow's page has an entry per component; the stream's is there only when it is healthy
    status = page[component]["status"] if component != STREAM else "healthy"
    print(f"{component} is {status}")
    return int(status != "healthy")


def _explain(component: str, trouble: str) -> int:
    """Print why there is no page; return 0 when a worker of the stream only waits for something."""
    if component == STREAM:
        from local.stream import Stream
        from promptsales.errors import PipelineError
        from promptsales.settings import settings

        try:
            print(Stream(settings()).probe(started=0.0))
        except PipelineError as error:
            trouble = str(error)
        else:
            return 0
    print(trouble)
    return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
