"""The user that PostgreSQL runs as when root starts the stack: PostgreSQL refuses root.

It is a user of its own. `nobody`, which other daemons share, could read the whole data folder, and so could they.
"""

import os
import pwd
import shutil
import subprocess
from pathlib import Path
from typing import Any

from promptsales.errors import ConfigError

NAME = "promptsales-postgres"


def account() -> str | None:
    """Return the user that PostgreSQL runs as; None stands for our own, when that is not root."""
    return NAME if os.geteuid() == 0 else None


def as_account() -> dict[str, Any]:
    """Return the arguments that make ``subprocess`` run a program as ``account()``.

    Raises:
        KeyError: when no start has created that user.
    """
    if not (name := account()):
        return {}
    return {"user": name, "group": pwd.getpwnam(name).pw_gid, "extra_groups": []}


def create_account() -> None:
    """Create the user, without a login, unless it exists or is not needed.

    Raises:
        ConfigError: when this machine cannot create users.
    """
    if not account() or _exists():
        return
    useradd = shutil.which("useradd", path=f"{os.defpath}:/usr/sbin:/sbin")
    command = [str(useradd), "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
    command += ["--shell", "/usr/sbin/nologin", NAME]
    result = subprocess.run(command, capture_output=True, text=True, check=False) if useradd else None
    if not _exists():  # another start may have been faster
        reason = result.stderr.strip().splitlines()[-1:] if result else ["useradd is missing"]
        raise ConfigError(
            f"root cannot run PostgreSQL, and the user {NAME} cannot be created: {''.join(reason)}; create it, or "
            "start the stack as a user other than root"
        )


def _exists() -> bool:
    try:
        return pwd.getpwnam(NAME).pw_uid != 0
    except KeyError:
        return False


def take_over(folder: Path) -> None:
    """Give a data folder of PostgreSQL to the user: an earlier version ran it as ``nobody``.

    Only files of the folder's owner change hands, because that user may have put links to other files there. The folder
    itself comes last, so that a start after a kill continues.
    """
    old = folder.stat().st_uid
    if not account() or old == pwd.getpwnam(NAME).pw_uid:
        return
    new = pwd.getpwnam(NAME)
    for _, folders, files, place in os.fwalk(folder, topdown=False):
        for name in (*folders, *files):
            if os.stat(name, dir_fd=place, follow_symlinks=False).st_uid == old:
                os.chown(name, new.pw_uid, new.pw_gid, dir_fd=place, follow_symlinks=False)
    os.chown(folder, new.pw_uid, new.pw_gid, follow_symlinks=False)
