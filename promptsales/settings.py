"""Every setting in one frozen class, read once from the environment (``PROMPTSALES_...``)."""

import hashlib
import os
from datetime import date
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, Self, get_args
from urllib.parse import quote
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from promptsales.addresses import refuse_mail, refuse_malformed, refuse_unknown, refuse_webhook
from promptsales.errors import ConfigError
from promptsales.secrets import Secrets

ROOT = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"

# every listening port of the local stack, in steps of one above the setting port_base
Port = Literal[
    "sources",
    "warehouse",
    "mongo",
    "redis",
    "kafka",
    "kafka_controller",
    "connect",
    "airflow",
    "stream",
]

# the connections that `promptsales dsn` prints, and those only the pipeline itself uses
PublicName = Literal[
    "promptsales", "promptads", "promptcrm", "promptcontent", "redis", "kafka", "connect", "warehouse", "bi", "airflow"
]
InternalName = Literal[
    "promptsales_etl",
    "promptcrm_etl",
    "promptads_cdc",
    "promptcrm_cdc",
    "promptcontent_etl",
    "sources_admin",
    "warehouse_admin",
    "promptcontent_admin",
    "airflow_db",
]


class Place(NamedTuple):
    """What a PostgreSQL connection leads to: a cluster of the local stack, a database, a role, and its search path."""

    cluster: Port
    database: str
    role: str
    search_path: str


_POSTGRES: dict[str, Place] = {
    "promptsales": Place("sources", "promptsales", "promptsales_owner", "promptsales"),
    "promptads": Place("sources", "promptsales", "promptads_owner", "promptads"),
    "promptcrm": Place("sources", "promptcrm", "promptcrm_owner", "crm"),
    "promptsales_etl": Place("sources", "promptsales", "etl_reader", ""),
    "promptcrm_etl": Place("sources", "promptcrm", "etl_reader", ""),
    "promptads_cdc": Place("sources", "promptsales", "cdc", ""),
    "promptcrm_cdc": Place("sources", "promptcrm", "cdc", ""),
    "sources_admin": Place("sources", "postgres", "postgres", ""),
    "warehouse": Place("warehouse", "warehouse", "warehouse_loader", ""),
    "bi": Place("warehouse", "warehouse", "bi", ""),
    "warehouse_admin": Place("warehouse", "warehouse", "postgres", ""),
    "airflow_db": Place("warehouse", "airflow", "airflow", ""),
}


Share = Annotated[float, Field(gt=0, le=1)]
Rows = Annotated[int, Field(ge=0)]


class Limits(BaseModel):
    """When a batch is blocked: at least ``rows`` of its rows are bad, and they are more than ``share`` of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    share: Share = 0.2
    rows: Rows = 100

    def are_exceeded(self, bad: int, total: int) -> bool:
        """Return whether so many bad rows, or rows gone at the source, block the whole batch."""
        return bad >= self.rows and bad > self.share * total


def _reachable_by_others(folder: Path) -> bool:
    """Whether a user other than the owner can walk down to ``folder``."""
    existing = next(place for place in (folder, *folder.parents) if place.exists())
    return all(place.stat().st_mode & 0o001 for place in (existing, *existing.parents))


def default_state() -> Path:
    """The state folder: ``.state`` in the checkout.

    PostgreSQL refuses root, so root runs it as ``nobody``; where that user cannot reach the checkout (a clone below
    a 0700 home) the state lies under ``/var/lib`` instead, in a folder named after the checkout.
    """
    if os.geteuid() != 0 or _reachable_by_others(ROOT):
        return ROOT / ".state"
    return Path("/var/lib") / f"promptsales-{hashlib.sha256(str(ROOT).encode()).hexdigest()[:12]}"


def _known_zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (KeyError, ValueError, OSError):
        raise ValueError(
            f"{name!r} is not a name of the IANA time zone database; name one such as Europe/Berlin or Asia/Kolkata"
        ) from None


class Settings(BaseSettings):
    """What may differ between two installations; everything else is code."""

    model_config = SettingsConfigDict(
        env_prefix="PROMPTSALES_", env_nested_delimiter="__", frozen=True, hide_input_in_errors=True
    )

    state: Path = Field(
        default_factory=default_state, description="folder of all data, logs, secrets and configuration"
    )
    port_base: int = Field(default=21000, ge=1024, le=65000, description="first port of the local stack")
    # what may hold a password stays out of every repr
    dsn: dict[str, str] = Field(
        default={}, repr=False, description="addresses of your own servers, by the names of `dsn`"
    )
    quarantine_share: Share = Field(default=Limits().share, description="a batch with a larger bad share is blocked")
    quarantine_rows: Rows = Field(default=Limits().rows, description="unless fewer rows than this are bad")
    work_timeout_minutes: int = Field(default=240, ge=1, description="longest statement of a load, build or provision")
    look_timeout_minutes: int = Field(default=5, ge=1, description="longest statement of a command that only looks")
    stream_workers: int = Field(default=1, ge=1, le=6, description="processes that follow the change events")
    stream_minutes_days: int = Field(default=14, ge=2, description="minutes of campaigns are kept so many days")
    reporting_timezone: Annotated[str, AfterValidator(_known_zone)] = Field(
        default="UTC", description="zone by whose days the marts count"
    )
    business_dates_from: date = Field(
        default=date(1990, 1, 1),
        ge=date(1990, 1, 1),
        description="rows with an earlier date or time go to quarantine; core.calendar begins there",
    )
    business_dates_to: date = Field(
        default=date(2040, 12, 31),
        le=date(2040, 12, 31),
        description="rows with a later one too; core.calendar ends there",
    )
    provisional_days: int = Field(default=3, ge=1, description="days that ad platforms still restate")
    spark_master: str = Field(default="local[2]", description="where Spark runs: local[N], or a cluster's URL")
    spark_memory: str = Field(default="1g", description="of Spark's driver and of each executor")
    spark_partitions: int = Field(default=2, ge=1, description="parts of a read and of a shuffle")

    alert_mail: str = Field(
        default="", repr=False, description="smtp://user:password@host:port/?from_email=..&to_email=.."
    )
    alert_webhook: str = Field(default="", repr=False, description="address that alerts are posted to as JSON")

    @model_validator(mode="after")
    def _refuse_malformed(self) -> Self:
        """Check every address.

        Raises:
            ConfigError: for an address that no driver could use, or a name nobody knows.
        """
        refuse_unknown(set(self.dsn), (*get_args(PublicName), *get_args(InternalName)))
        for name, address in self.dsn.items():
            refuse_malformed(name, address)
        if self.alert_mail:
            refuse_mail(self.alert_mail)
        if self.alert_webhook:
            refuse_webhook(self.alert_webhook)
        return self

    def port(self, name: Port) -> int:
        """The port a service of the local stack listens on."""
        return self.port_base + get_args(Port).index(name)

    @property
    def limits(self) -> Limits:
        """When a batch is blocked."""
        return Limits(share=self.quarantine_share, rows=self.quarantine_rows)

    @property
    def secrets(self) -> Secrets:
        """The passwords and keys that the first start generated."""
        return Secrets(self.state / "secrets")

    def address(self, name: PublicName | InternalName) -> str:
        """One connection string, with its password: your own from the setting ``dsn``, else the local stack's.

        Raises:
            ConfigError: for a name nobody knows, or when the local stack has no secrets yet.
        """
        if name in self.dsn:
            return self.dsn[name]
        if name in _POSTGRES:
            return self._postgres(name)
        local = {
            "promptcontent": lambda: self._mongo("promptcontent", "promptcontent"),
            "promptcontent_etl": lambda: self._mongo("promptcontent_etl", "promptcontent"),
            "promptcontent_admin": lambda: self._mongo("admin", "admin"),
            "redis": lambda: f"redis://:{self.secrets.password('redis')}@{HOST}:{self.port('redis')}/0",
            "kafka": lambda: f"{HOST}:{self.port('kafka')}",
            "connect": lambda: f"http://{HOST}:{self.port('connect')}",
            "airflow": lambda: f"http://admin:{self.secrets.password('airflow_admin')}@{HOST}:{self.port('airflow')}",
        }
        if name not in local:
            raise ConfigError(f"no connection is called {name!r}; names are {', '.join(connection_names())}")
        return local[name]()

    def _postgres(self, name: PublicName | InternalName) -> str:
        cluster, database, role, search_path = place_of(name)
        options = f"?options={quote(f'-csearch_path={search_path}')}" if search_path else ""
        return f"postgresql://{role}:{self.secrets.password(role)}@{HOST}:{self.port(cluster)}/{database}{options}"

    def _mongo(self, user: str, database: str) -> str:
        secret = self.secrets.password(f"mongo_{user}")
        return (
            f"mongodb://{user}:{secret}@{HOST}:{self.port('mongo')}/{database}?directConnection=true&authSource=admin"
        )


def place_of(name: PublicName | InternalName) -> Place:
    """Return what a PostgreSQL connection leads to; of a server of your own, what it stands for.

    Raises:
        ConfigError: for a name that is none of PostgreSQL's.
    """
    if name not in _POSTGRES:
        raise ConfigError(f"no PostgreSQL connection is called {name!r}; names are {', '.join(_POSTGRES)}")
    return _POSTGRES[name]


def connection_names() -> tuple[str, ...]:
    """The names `promptsales dsn` accepts."""
    return get_args(PublicName)


def _said(message: str) -> str:
    ours = message.removeprefix("Value error, ")
    return ours[0].lower() + ours[1:]


@cache
def settings() -> Settings:
    """The settings of this process.

    Raises:
        ConfigError: naming every variable that says something that cannot be, never its value.
    """
    try:
        return Settings()
    except ValidationError as error:
        faults = error.errors(include_input=False, include_context=False, include_url=False)
        wrong = (f"PROMPTSALES_{'__'.join(map(str, fault['loc'])).upper()}: {_said(fault['msg'])}" for fault in faults)
        raise ConfigError(f"settings: {'; '.join(wrong)}; docs/reference/settings.md lists what each may be") from None
    except SettingsError:
        # only this one is read as JSON
        raise ConfigError(
            'setting PROMPTSALES_DSN is no JSON object; expected {"warehouse": "postgresql://..", "kafka": ".."}, '
            "or a variable for each name: PROMPTSALES_DSN__WAREHOUSE"
        ) from None
