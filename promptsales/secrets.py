"""Passwords and keys: generated at the first start, one file each, readable by their owner only."""

import os
import secrets as random
from pathlib import Path

from promptsales.errors import ConfigError

KEY_BYTES = 32


class Secrets:
    """A folder of secrets; ``password(name)`` reads one, ``create(name)`` makes it when it is not there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def password(self, name: str) -> str:
        """The secret called ``name``.

        Raises:
            ConfigError: when the first start has not made it yet, or it may be read by others.
        """
        path = self._folder / name
        try:
            if path.stat().st_mode & 0o077:
                raise ConfigError(f"secret {path} can be read by others: chmod 600 it, and think of a new one")
            return path.read_text(encoding="ascii").strip()
        except FileNotFoundError:
            raise ConfigError(
                f"no secret {path}: run `promptsales up` first, or give your own PROMPTSALES_DSN"
            ) from None

    def has(self, name: str) -> bool:
        """Whether the secret has been made."""
        return (self._folder / name).exists()

    def create(self, name: str) -> str:
        """The secret called ``name``: 32 random bytes as hex, written once with mode 0600."""
        if not self.has(name):
            self.write(name, random.token_hex(KEY_BYTES))
        return self.password(name)

    def write(self, name: str, value: str) -> None:
        """Put ``value`` in place of the secret, in one step, so that a kill leaves the old or the new."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = self._folder / f".{name}.{os.getpid()}"
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
            file.write(value)
        draft.replace(self._folder / name)
