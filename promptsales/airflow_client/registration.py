"""What Airflow is told at start-up: the connections and pools its DAGs use."""

import hashlib
import json
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from psycopg.conninfo import conninfo_to_dict

from promptsales.addresses import postgres_hosts
from promptsales.airflow_client.api import Airflow
from promptsales.airflow_client.models import Connection, Pool
from promptsales.errors import ConfigError
from promptsales.settings import InternalName, PublicName, Settings

# what was registered last: not the values, their digests
STAMP = "airflow_connections"

# id in Airflow -> (name in the settings, what it is)
_POSTGRES: dict[str, tuple[PublicName | InternalName, str]] = {
    "promptcrm": ("promptcrm_etl", "PromptCrm as the pipeline reads it: hashing views only"),
    "promptsales": ("promptsales_etl", "PromptSales core and PromptAds as the pipeline reads them"),
    "promptads_cdc": ("promptads_cdc", "PromptAds as the stream reads it: published columns only"),
    "promptcrm_cdc": ("promptcrm_cdc", "PromptCrm as the stream reads it: published columns only"),
    "warehouse": ("warehouse", "Warehouse, as its loader"),
    "sources_admin": ("sources_admin", "Source cluster, as administrator; for platform_provision"),
    "warehouse_admin": ("warehouse_admin", "Warehouse, as administrator; for platform_provision"),
}
_MONGO: dict[str, tuple[PublicName | InternalName, str]] = {
    "promptcontent": ("promptcontent_etl", "PromptContent (MongoDB) as the pipeline reads it"),
    "promptcontent_admin": ("promptcontent_admin", "PromptContent, as administrator; for platform_provision"),
}

# a source serves two tasks at a time, whatever else Airflow runs; see settings of its own in the UI
POOLS = (
    Pool(name="promptcrm", slots=2, description="Extracts from PromptCrm at a time"),
    Pool(name="promptsales", slots=2, description="Extracts from PromptSales core and PromptAds at a time"),
    Pool(name="promptcontent", slots=2, description="Extracts from PromptContent at a time"),
    Pool(name="warehouse", slots=4, description="Checks and publishes in the warehouse at a time"),
)


def name_of(connection_id: str) -> PublicName | InternalName:
    """Return the name in the settings of a PostgreSQL connection of Airflow.

    Raises:
        ConfigError: for an id that none of ours has.
    """
    if connection_id not in _POSTGRES:
        raise ConfigError(f"airflow connection {connection_id!r} is none of ours; ours are {', '.join(_POSTGRES)}")
    return _POSTGRES[connection_id][0]


def register(airflow: Airflow, settings: Settings) -> None:
    """Create the connections and pools that Airflow lacks, and renew a connection whose setting has changed.

    What was edited in Airflow itself stays as it is: a pool that exists, and a connection as long as its setting is the
    one that was registered last.

    Raises:
        TransientError, TerminalError: as every call of Airflow.
    """
    wanted = connections(settings)
    digests = {one.connection_id: hashlib.sha256(one.model_dump_json().encode()).hexdigest() for one in wanted}
    known, last = airflow.connections(), _registered(settings)
    airflow.put_connections(
        one
        for one in wanted
        if one.connection_id not in known or last.get(one.connection_id) != digests[one.connection_id]
    )
    if digests != last:
        settings.secrets.write(STAMP, json.dumps(digests))
    pools = airflow.pools()
    airflow.put_pools(pool for pool in POOLS if pool.name not in pools)


def _registered(settings: Settings) -> dict[str, str]:
    try:
        return dict(json.loads(settings.secrets.password(STAMP)))
    except ConfigError:
        return {}


def connections(settings: Settings) -> list[Connection]:
    """Every connection a DAG uses, as the settings have it."""
    return [
        *(postgres_connection(name, settings.address(at), what) for name, (at, what) in _POSTGRES.items()),
        *(mongo_connection(name, settings.address(at), what) for name, (at, what) in _MONGO.items()),
        kafka_connection("kafka", settings.address("kafka"), "Kafka, the event bus"),
        redis_connection("redis", settings.address("redis"), "Redis, the global cache"),
    ]


def alert_environment(settings: Settings) -> dict[str, str]:
    """The ways alerts take, as variables by which Airflow's processes know connections: none, mail, webhook or both.

    They are no connections of Airflow's database: a deadline's callback, unlike a task, may not read that.
    """
    found = {}
    if settings.alert_mail:
        found["AIRFLOW_CONN_ALERT_MAIL"] = settings.alert_mail
    if settings.alert_webhook:
        # as an option: a host would lose its capitals
        found["AIRFLOW_CONN_ALERT_WEBHOOK"] = f"generic:///?{urlencode({'url': settings.alert_webhook})}"
    return found


def postgres_connection(connection_id: str, address: str, description: str) -> Connection:
    """A PostgreSQL connection string as Airflow keeps it; parameters beyond the usual go to ``extra``.

    Of several hosts, ports that differ go there, too: Airflow's own field holds one number, its hook prefers ``extra``.
    """
    parts = {key: str(value) for key, value in conninfo_to_dict(address).items() if value is not None}
    parts.pop("port", None)
    ports = [port for _, port in postgres_hosts(address)]
    is_one = len(set(ports)) == 1
    return Connection(
        connection_id=connection_id,
        conn_type="postgres",
        description=description,
        host=parts.pop("host", None),
        port=int(ports[0]) if is_one else None,
        login=parts.pop("user", None),
        password=parts.pop("password", None),
        schema_=parts.pop("dbname", None),
        extra=json.dumps({"connect_timeout": "10", **parts, **({} if is_one else {"port": ",".join(ports)})}),
    )


def mongo_connection(connection_id: str, address: str, description: str) -> Connection:
    """A MongoDB connection string as Airflow keeps it; its options go to ``extra``, from where the client gets them."""
    parts = urlsplit(address)
    options: dict[str, str | bool] = {
        key: value == "true" if value in ("true", "false") else value for key, value in parse_qsl(parts.query)
    }
    if parts.scheme == "mongodb+srv":
        options["srv"] = True
    return Connection(
        connection_id=connection_id,
        conn_type="mongo",
        description=description,
        # several hosts of a replica set stay together, with their ports
        host=parts.netloc.rpartition("@")[2],
        login=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        schema_=parts.path.lstrip("/") or None,
        extra=json.dumps(options),
    )


def kafka_connection(connection_id: str, address: str, description: str) -> Connection:
    """Bootstrap servers as Airflow keeps them, under the client's own name for them."""
    return Connection(
        connection_id=connection_id,
        conn_type="generic",
        description=description,
        host=address,
        extra=json.dumps({"bootstrap.servers": address}),
    )


def redis_connection(connection_id: str, address: str, description: str) -> Connection:
    """A Redis address as Airflow keeps it; the database's number is its schema."""
    parts = urlsplit(address)
    return Connection(
        connection_id=connection_id,
        conn_type="generic",
        description=description,
        host=parts.hostname,
        port=parts.port or 6379,
        login=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        schema_=parts.path.strip("/") or "0",
        extra=json.dumps({"ssl": parts.scheme == "rediss"}),
    )
