"""Tune Python's garbage collector for short processes that import large packages."""

import atexit
import gc


def collect_little() -> None:
    """Run the garbage collector rarely, and not at all when the interpreter exits.

    Imported objects stay alive. Scanning them again and again takes a fifth of the import time of Great Expectations,
    and the last scan, at exit, takes a second.
    """
    gc.set_threshold(50_000, 20, 20)
    atexit.register(gc.freeze)
