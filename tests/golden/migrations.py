"""The checksums of all migrations: an applied file is compared with its checksum, so a change stops every upgrade."""

from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from promptsales.provision.lines import Database, Migration, list_lines

CHECKSUMS = Path(__file__).with_name("migrations.sha256")


def migrations() -> Iterator[Migration]:
    """Return every migration of every database; two databases share the line ``etl``."""
    for database in get_args(Database):
        for line in list_lines(database):
            yield from line.migrations


def read_checksums() -> dict[str, str]:
    """Return the recorded checksums by the path of the file."""
    lines = CHECKSUMS.read_text(encoding="utf-8").splitlines() if CHECKSUMS.exists() else []
    return {path: checksum for checksum, path in (line.split("  ") for line in lines)}


def record_new() -> None:
    """Record the migrations that are not recorded yet; a recorded checksum stays."""
    recorded = {migration.name: migration.checksum for migration in migrations()} | read_checksums()
    text = "".join(f"{recorded[path]}  {path}\n" for path in sorted(recorded))
    CHECKSUMS.write_text(text, encoding="utf-8")
