"""A migration that was released is never changed: `promptsales provision` would refuse it where it is applied."""

from tests.golden.migrations import migrations, read_checksums


def test_no_recorded_migration_was_changed() -> None:
    checksums = {migration.name: migration.checksum for migration in migrations()}
    changed = [path for path, checksum in read_checksums().items() if checksums.get(path) != checksum]
    assert changed == [], "restore these files and write a new numbered one; a comment counts too"


def test_every_migration_is_recorded() -> None:
    missing = {migration.name for migration in migrations()} - read_checksums().keys()
    assert missing == set(), "run `python -m tests.golden`"
