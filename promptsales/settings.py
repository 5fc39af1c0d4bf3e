"""All settings in one frozen class, read once from the environment (``PROMPTSALES_...``) and the file of settings."""

import hashlib
import os
import re
from collections.abc import Callable
from datetime import date
from functools import cache, partial
from pathlib import Path
from typing import Annotated, Literal, Self, get_args
from urllib.parse import quote
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from promptsales.addresses import refuse_mail, refuse_malformed, refuse_unknown, refuse_webhook
from promptsales.errors import ConfigError
from promptsales.secrets import Secrets
from promptsales.settings_file import check_settings_file, describe_origin, find_settings_file
from promptsales.targets import POSTGRES, InternalName, Port, PublicName, connection_names, postgres_target

ROOT = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
# the login of Kafka Connect's REST API in the local stack
CONNECT_USER = "promptsales"

Share = Annotated[float, Field(gt=0, le=1)]
Rows = Annotated[int, Field(ge=0)]


class Limits(BaseModel):
    """When bad rows block a whole batch: when they are more than ``share`` of the rows and at least ``rows``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    share: Share = 0.2
    rows: Rows = 100

    def __str__(self) -> str:
        return f"more than {self.share:.0%} and at least {self.rows} rows"

    def are_exceeded(self, bad: int, total: int) -> bool:
        """Return whether so many bad rows, or rows gone at the source, block the whole batch."""
        return bad >= self.rows and bad > self.share * total


def _is_reachable_by_others(folder: Path) -> bool:
    """Return whether users other than the owner can reach ``folder``."""
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    return all(path.stat().st_mode & 0o001 for path in (existing, *existing.parents))


def default_state() -> Path:
    """Return the default state folder: ``.state`` in the checkout.

    PostgreSQL refuses to run as root, so root runs it as another user. When other users cannot reach the checkout (a
    clone below a home of mode 0700), the state folder is below ``/var/lib``, named after the checkout.
    """
    if os.geteuid() != 0 or _is_reachable_by_others(ROOT):
        return ROOT / ".state"
    return Path("/var/lib") / f"promptsales-{hashlib.sha256(str(ROOT).encode()).hexdigest()[:12]}"


def _check_zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (KeyError, ValueError, OSError):
        raise ValueError(
            f"{name!r} is not a name of the IANA time zone database; use one such as Europe/Berlin or Asia/Kolkata"
        ) from None


AirflowRole = Literal["viewer", "user", "op", "admin"]
_AIRFLOW_USER = re.compile(rf"([A-Za-z0-9_]+):({'|'.join(get_args(AirflowRole))})")


def _check_users(text: str) -> str:
    pairs = text.split(",")
    if bad := [pair for pair in pairs if not _AIRFLOW_USER.fullmatch(pair)]:
        raise ValueError(
            f"{bad[0]!r} is not user:role; roles are {', '.join(get_args(AirflowRole))}, and a name has letters, "
            "digits and underscores only"
        )
    names = [pair.partition(":")[0] for pair in pairs]
    if "admin:admin" not in pairs or len(set(names)) < len(names):
        raise ValueError("name each user once, and keep admin:admin: the command line logs in as admin")
    return text


class Settings(BaseSettings):
    """The values that may differ between two installations."""

    model_config = SettingsConfigDict(
        env_prefix="PROMPTSALES_", env_nested_delimiter="__", frozen=True, hide_input_in_errors=True
    )

    state: Path = Field(
        default_factory=default_state, description="folder for data, logs, secrets and generated configuration"
    )
    port_base: int = Field(default=21000, ge=1024, le=65000, description="first port of the local stack")
    # repr=False: an address may hold a password
    dsn: dict[str, str] = Field(
        default={}, repr=False, description="addresses of your own servers, by the names that `dsn` prints"
    )
    quarantine_share: Share = Field(default=Limits().share, description="a batch with a larger bad share is blocked")
    quarantine_rows: Rows = Field(default=Limits().rows, description="unless fewer rows than this are bad")
    work_timeout_minutes: int = Field(default=240, ge=1, description="longest statement of a load, build or provision")
    look_timeout_minutes: int = Field(default=5, ge=1, description="longest statement of a command that only reads")
    stream_workers: int = Field(default=1, ge=1, le=6, description="processes that read the change events")
    stream_minutes_days: int = Field(default=14, ge=2, description="days that a campaign's minutes are kept")
    reporting_timezone: Annotated[str, AfterValidator(_check_zone)] = Field(
        default="UTC", description="time zone whose days the marts count"
    )
    business_dates_from: date = Field(
        default=date(1990, 1, 1),
        ge=date(1990, 1, 1),
        description="rows with an earlier date or time go to quarantine; first day of core.calendar",
    )
    business_dates_to: date = Field(
        default=date(2040, 12, 31),
        le=date(2040, 12, 31),
        description="rows with a later one too; last day of core.calendar",
    )
    provisional_days: int = Field(default=3, ge=1, description="days that ad platforms still restate")
    provision_in_airflow: bool = Field(
        default=False, description="register administrators' connections in Airflow, for the DAG platform_provision"
    )
    spark_master: str = Field(default="local[2]", description="where Spark runs: local[N], or a cluster's URL")
    spark_memory: str = Field(default="1g", description="memory of Spark's driver and of each executor")
    spark_partitions: int = Field(default=2, ge=1, description="partitions of a read and of a shuffle")
    spark_compiler_tier: int = Field(
        default=1, ge=1, le=4, description="last compiler tier of Spark's Java: 1 for short builds, 4 for long ones"
    )

    airflow_users: Annotated[str, AfterValidator(_check_users)] = Field(
        default="admin:admin,editor:user,viewer:viewer", description="users of the local Airflow, as user:role"
    )
    alert_mail: str = Field(
        default="", repr=False, description="smtp://user:password@host:port/?from_email=..&to_email=.."
    )
    alert_webhook: str = Field(default="", repr=False, description="address that alerts are posted to as JSON")

    @model_validator(mode="after")
    def _refuse_malformed(self) -> Self:
        """Check every address.

        Raises:
            ConfigError: when no driver could use an address, or no connection has that name.
        """
        refuse_unknown(set(self.dsn), (*get_args(PublicName), *get_args(InternalName)))
        for name, address in self.dsn.items():
            refuse_malformed(name, address)
        if self.alert_mail:
            refuse_mail(self.alert_mail)
        if self.alert_webhook:
            refuse_webhook(self.alert_webhook)
        return self

    @property
    def airflow_passwords(self) -> dict[str, str]:
        """The names of the secrets that hold the passwords of the local Airflow's users, by user."""
        return {user: f"airflow_{user}" for user in (pair.partition(":")[0] for pair in self.airflow_users.split(","))}

    def port(self, name: Port) -> int:
        """Return the port that a service of the local stack listens on."""
        return self.port_base + get_args(Port).index(name)

    @property
    def limits(self) -> Limits:
        """When bad rows block a whole batch."""
        return Limits(share=self.quarantine_share, rows=self.quarantine_rows)

    @property
    def secrets(self) -> Secrets:
        """The passwords and keys that the first start generated."""
        return Secrets(self.state / "secrets")

    def address(self, name: PublicName | InternalName) -> str:
        """Return a connection string with its password: your own from the setting ``dsn``, else the local stack's.

        Raises:
            ConfigError: when no connection has that name, or the local stack has no secrets yet.
        """
        if name in self.dsn:
            return self.dsn[name]
        if name.startswith("kafka_") and "kafka" in self.dsn:
            return self.dsn["kafka"]  # your brokers have one login for all, or none
        if name in POSTGRES:
            self._refuse_half(name)
            return self._postgres(name)
        local: dict[str, Callable[[], str]] = {
            "promptcontent": lambda: self._mongo("promptcontent", "promptcontent"),
            "promptcontent_etl": lambda: self._mongo("promptcontent_etl", "promptcontent"),
            "promptcontent_admin": lambda: self._mongo("admin", "admin"),
            "redis": lambda: f"redis://:{self.secrets.password('redis')}@{HOST}:{self.port('redis')}/0",
            "kafka": lambda: self.local_kafka("kafka_operator"),
            **{party: partial(self.local_kafka, party) for party in ("kafka_stream", "kafka_content", "kafka_alerts")},
            "connect": lambda: (
                f"http://{CONNECT_USER}:{self.secrets.password('connect')}@{HOST}:{self.port('connect')}"
            ),
            "airflow": lambda: f"http://admin:{self.secrets.password('airflow_admin')}@{HOST}:{self.port('airflow')}",
        }
        if name not in local:
            raise ConfigError(f"no connection is called {name!r}; use one of {', '.join(connection_names())}")
        return local[name]()

    def _refuse_half(self, name: PublicName | InternalName) -> None:
        """Check that the audits of a source of your own have its address too, and do not read the local one."""
        beside = name.replace("_audit", "_cdc")
        if beside != name and beside in self.dsn:
            raise ConfigError(
                f"PROMPTSALES_DSN__{name.upper()} is not set, but PROMPTSALES_DSN__{beside.upper()} is; set it to the "
                "address of the same database with the login etl_audit"
            )

    def _postgres(self, name: PublicName | InternalName) -> str:
        cluster, database, role, search_path = postgres_target(name)
        options = f"?options={quote(f'-csearch_path={search_path}')}" if search_path else ""
        return f"postgresql://{role}:{self.secrets.password(role)}@{HOST}:{self.port(cluster)}/{database}{options}"

    def local_kafka(self, party: str) -> str:
        """Return the address of the local brokers with the login of a party, by the name of its secret."""
        user = party.replace("kafka", "promptsales")
        return f"kafka://{user}:{self.secrets.password(party)}@{HOST}:{self.port('kafka')}"

    def _mongo(self, user: str, database: str) -> str:
        secret = self.secrets.password(f"mongo_{user}")
        return (
            f"mongodb://{user}:{secret}@{HOST}:{self.port('mongo')}/{database}?directConnection=true&authSource=admin"
        )


def drop_libpq_settings() -> None:
    """Remove the variables that libpq turns into session settings, which it would send after ours."""
    for variable in ("PGTZ", "PGDATESTYLE", "PGGEQO"):
        os.environ.pop(variable, None)


def _reword(message: str) -> str:
    message = message.removeprefix("Value error, ")
    return message[0].lower() + message[1:]


@cache
def settings() -> Settings:
    """Return the settings of this process: the environment's, then those of the file of settings.

    Raises:
        ConfigError: when a value is not valid, or the file is not; the message names every such variable, and the line
            of the file that sets it, never its value.
    """
    path = find_settings_file(Path(os.environ.get("PROMPTSALES_STATE") or default_state()))
    lines = check_settings_file(path, _variables()) if path else {}
    try:
        return _read(path)
    except ConfigError as error:
        raise ConfigError(f"{error}{describe_origin(str(error), path, lines)}") from None


def _variables() -> set[str]:
    """Return the names of all variables that a file of settings may set."""
    names = {*Settings.model_fields, *(f"dsn__{name}" for name in (*get_args(PublicName), *get_args(InternalName)))}
    return {f"PROMPTSALES_{name.upper()}" for name in names}


def _read(path: Path | None) -> Settings:
    try:
        return Settings(_env_file=path)
    except ValidationError as error:
        faults = error.errors(include_input=False, include_context=False, include_url=False)
        lines = (
            f"PROMPTSALES_{'__'.join(map(str, fault['loc'])).upper()}: {_reword(fault['msg'])}" for fault in faults
        )
        raise ConfigError(
            f"settings: {'; '.join(lines)}; docs/reference/settings.md lists the values that are allowed"
        ) from None
    except SettingsError:
        # dsn is the only setting that is read as JSON
        raise ConfigError(
            'setting PROMPTSALES_DSN is not a JSON object; expected {"warehouse": "postgresql://..", "kafka": ".."}, '
            "or one variable per name: PROMPTSALES_DSN__WAREHOUSE"
        ) from None
