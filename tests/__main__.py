"""Run every check and every test on one stack: ``make test``.

The checks need no server and run while the servers start. Tests that have databases of their own run in parallel with
all others except the faults, which need the servers for themselves.
"""

import os
import subprocess
import sys
import tempfile
from typing import IO

from tests.support.servers import SHARED, running

_APART = ("tests/integration/marts", "tests/integration/rules", "tests/properties/test_bad_rows.py")
_SHARED = ("tests/e2e", "tests/integration", "tests/security", "tests/properties")
_MOST = (*_SHARED, *(f"--ignore={path}" for path in _APART))


def main() -> int:
    """Run everything and return the exit code: 1 when anything failed."""
    checks = subprocess.Popen(["make", "--no-print-directory", "check"])
    with running():
        os.environ[SHARED] = "1"
        if checks.wait() != 0:
            return 1
        with tempfile.TemporaryFile() as output:
            apart = _pytest(*_APART, output=output)
            codes = [_pytest(*_MOST).wait(), apart.wait()]
            output.seek(0)
            sys.stdout.buffer.write(output.read())
            sys.stdout.flush()
        codes.append(_pytest("tests/faults").wait())
    return int(any(codes))


def _pytest(*arguments: str, output: IO[bytes] | None = None) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "pytest", "--durations=10", *arguments]
    return subprocess.Popen(command, stdout=output, stderr=output and subprocess.STDOUT)


if __name__ == "__main__":
    sys.exit(main())
