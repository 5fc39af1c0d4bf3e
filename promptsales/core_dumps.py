"""Keep processes that hold passwords and keys from leaving their memory on the disk when they crash."""

import resource


def forbid_core_dumps() -> None:
    """Forbid core dumps of this process and of those that it starts.

    A limit of 0 bytes does not stop a dump that Linux hands to a program (``|`` in ``kernel.core_pattern``); 1 does.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    limit = min(1, hard) if hard >= 0 else 1  # negative means unlimited
    resource.setrlimit(resource.RLIMIT_CORE, (limit, limit))
