"""Run one load in a process of its own, like ``promptsales load``, and measure its steps and its import time."""

import itertools
import json
import resource
import sys
import time

from promptsales.cli.collector import collect_little


def main(feed: str) -> None:
    """Load a feed once; print seconds, counts and the peak memory above that of the imports (MiB) as JSON."""
    collect_little()
    began = time.perf_counter()
    import promptsales.quality.run

    imported = time.perf_counter() - began
    import promptsales.extract.opening  # noqa: F401
    from promptsales.cli.load import load_feed
    from promptsales.specs.feed import contract

    loaded, marks = _peak_mib(), [("", time.perf_counter())]
    result = load_feed(contract(feed), None, "bench", lambda step: marks.append((step, time.perf_counter())))
    marks.append(("", time.perf_counter()))
    steps = {name.partition(": ")[2]: end - start for (name, start), (_, end) in itertools.pairwise(marks[1:])}
    timing = {"import_s": imported, "steps_s": steps, "above_imports_mib": _peak_mib() - loaded}
    print(json.dumps(timing | result.model_dump(mode="json", include={"extracted", "inserted", "updated"})))


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main(sys.argv[1])
