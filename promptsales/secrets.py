"""Passwords and keys: generated at the first start, a file each, readable only by the owner."""

import secrets as random
import tempfile
from pathlib import Path

from promptsales.errors import ConfigError

KEY_BYTES = 32


class Secrets:
    """A folder of secrets; ``password(name)`` reads a secret, ``create(name)`` generates it unless it exists."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def password(self, name: str) -> str:
        """Return the secret called ``name``.

        Raises:
            ConfigError: when it does not exist yet, or other users may read it.
        """
        path = self._folder / name
        try:
            if path.stat().st_mode & 0o077:
                raise ConfigError(f"other users can read secret {path}; replace it, and set its mode to 600")
            return path.read_text(encoding="ascii").strip()
        except FileNotFoundError:
            raise ConfigError(
                f"secret {path} does not exist; run `promptsales up` first, or set PROMPTSALES_DSN to your own servers"
            ) from None

    def has(self, name: str) -> bool:
        """Return whether the secret exists."""
        return (self._folder / name).exists()

    def create(self, name: str) -> str:
        """Return the secret called ``name``; generate it first (32 random bytes as hex) unless it exists."""
        if not self.has(name):
            self.write(name, random.token_hex(KEY_BYTES))
        return self.password(name)

    def remove(self, name: str) -> None:
        """Delete the secret called ``name``, if it exists."""
        (self._folder / name).unlink(missing_ok=True)

    def write(self, name: str, value: str) -> None:
        """Write the secret with mode 0600, in one step, so that a kill leaves the old value or the new one."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # exclusively: a file or link that somebody else put there is never written to
        handle, draft = tempfile.mkstemp(prefix=f".{name}.", dir=self._folder)
        with open(handle, "w", encoding="ascii") as file:
            file.write(value)
        Path(draft).replace(self._folder / name)
