"""Python's garbage collector, in processes that import much and end soon."""

import atexit
import gc


def collect_little() -> None:
    """Look for garbage seldom, and not at all when the interpreter ends.

    An import makes objects that stay. Looking through them over and over takes a fifth of the time that Great
    Expectations takes to import, and the last look, at the end, a second.
    """
    gc.set_threshold(50_000, 20, 20)
    atexit.register(gc.freeze)
