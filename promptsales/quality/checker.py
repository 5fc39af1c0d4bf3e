"""Import Great Expectations without what no rule needs: half of its import time goes to packages that it hardly uses.

Spark is an extra of Great Expectations (``great_expectations[spark]``) and runs none of our rules, so it is imported as
if the extra were not installed. Its charts (altair) and its tests of distributions (scipy) are required, so these
modules are loaded when something first uses them.
"""

import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader
from threading import get_ident
from types import ModuleType

_ABSENT = "pyspark"
_LATER = frozenset({"altair", "scipy.stats"})


class _Finder(MetaPathFinder):
    """Finds the modules of one thread, so that another thread may import Spark at the same time."""

    def __init__(self) -> None:
        self.thread = get_ident()

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if get_ident() != self.thread:
            return None
        if name == _ABSENT:
            raise ModuleNotFoundError("checks do not use Spark", name=name)
        spec = PathFinder.find_spec(name, path, target) if name in _LATER else None
        if spec and spec.loader:
            spec.loader = LazyLoader(spec.loader)
        return spec


@contextmanager
def _light_imports() -> Iterator[None]:
    finder = _Finder()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


# before the import, which logs each of its functions at INFO
logging.getLogger("great_expectations").setLevel(logging.WARNING)
with _light_imports():
    import great_expectations as gx

__all__ = ["gx"]
