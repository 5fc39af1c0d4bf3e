"""One worker: ``python -m streams 0``. The number tells its page's port from those of the others."""

import gc
import sys
import time

from faust import Worker

from promptsales.bus import topics
from promptsales.connections import connected
from promptsales.errors import PipelineError
from promptsales.printable import logger
from promptsales.settings import Settings, settings
from promptsales.specs.stream import stream_contracts
from streams.app import create_app

log = logger("streams")

_READY = "select to_regclass('ops.connector') is not null and to_regclass('realtime.sales_funnel') is not null"


def main() -> None:
    """Wait for `promptsales provision`, then follow the change events until told to stop."""
    here, number = settings(), int(sys.argv[1])
    said = ""
    while reason := unprovisioned(here):
        if reason != said:
            log.warning("waiting for `promptsales provision`: %s", reason)
        said = reason
        time.sleep(1)
    app = create_app(here, number)
    # what is there by now stays: collecting it again and again held the stream up for a tenth of a second each time
    gc.collect()
    gc.freeze()
    Worker(app, loglevel="INFO", redirect_stdouts=False).execute_from_commandline()


def unprovisioned(here: Settings) -> str:
    """Return what is missing of topics and tables to follow, empty where nothing is; a refused login may be, too."""
    try:
        client = topics.admin(here.address("kafka"))
        with topics.errors("list topics", client):
            found = client.list_topics(timeout=10).topics
        with connected(here, "warehouse", patience="look") as warehouse:
            ready = warehouse.execute(_READY).fetchone()
    except PipelineError as error:
        return str(error)
    missing = [contract.topic for contract in stream_contracts().values() if contract.topic not in found]
    return f"topics {', '.join(missing)} are missing" if missing else "" if ready == (True,) else "tables are missing"


if __name__ == "__main__":
    try:
        main()
    except PipelineError as error:
        sys.exit(f"error: {error}")
