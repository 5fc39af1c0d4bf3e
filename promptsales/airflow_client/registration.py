"""Register the connections and pools that the DAGs use with Airflow."""

import hashlib
import json
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from promptsales.addresses import postgres_hosts
from promptsales.airflow_client.api import AirflowClient
from promptsales.airflow_client.models import AirflowConnection, Pool
from promptsales.connections import require_scram
from promptsales.errors import ConfigError
from promptsales.kafka_address import client_properties
from promptsales.settings import Settings
from promptsales.targets import InternalName, PublicName

# the secret that holds digests of the connections registered last
STAMP = "airflow_connections"

# id in Airflow -> (name in the settings, description)
_POSTGRES: dict[str, tuple[PublicName | InternalName, str]] = {
    "promptcrm": ("promptcrm_etl", "PromptCrm, read by the pipeline through hashing views"),
    "promptsales": ("promptsales_etl", "PromptSales core and PromptAds, read by the pipeline"),
    "promptads_audit": ("promptads_audit", "PromptAds, read by the stream's audits; published columns only"),
    "promptcrm_audit": ("promptcrm_audit", "PromptCrm, read by the stream's audits; published columns only"),
    "warehouse": ("warehouse", "Warehouse, as the loader role"),
    "warehouse_page": ("warehouse_page", "Warehouse, as the Warehouse page; reads the pipeline's books"),
    "sources_admin": ("sources_admin", "Source cluster, as administrator; used by platform_provision"),
    "warehouse_admin": ("warehouse_admin", "Warehouse, as administrator; used by platform_provision"),
}
_MONGO: dict[str, tuple[PublicName | InternalName, str]] = {
    "promptcontent": ("promptcontent_etl", "PromptContent (MongoDB), read by the pipeline"),
    "promptcontent_admin": ("promptcontent_admin", "PromptContent, as administrator; used by platform_provision"),
}
_KAFKA: dict[PublicName | InternalName, str] = {
    "kafka_content": "Kafka, as the batches of PromptContent",
    "kafka_stream": "Kafka, as the stream, whose lag is watched",
    "kafka": "Kafka, as its operator; used by platform_provision",
}
# registered only if the setting provision_in_airflow says so: with them everybody who edits a DAG is an administrator
_ADMINS = frozenset({"sources_admin", "warehouse_admin", "promptcontent_admin", "kafka"})

# at most two tasks read from a source at once; slots edited in Airflow's UI are kept
POOLS = (
    Pool(name="promptcrm", slots=2, description="Concurrent extracts from PromptCrm"),
    Pool(name="promptsales", slots=2, description="Concurrent extracts from PromptSales core and PromptAds"),
    Pool(name="promptcontent", slots=2, description="Concurrent extracts from PromptContent"),
    Pool(name="warehouse", slots=4, description="Concurrent checks and publishes in the warehouse"),
)


def name_of(connection_id: str) -> PublicName | InternalName:
    """Return the name that a PostgreSQL connection of Airflow has in the settings.

    Raises:
        ConfigError: when we do not register a PostgreSQL connection with this id.
    """
    if connection_id not in _POSTGRES:
        raise ConfigError(
            f"airflow connection {connection_id!r} is not one that `promptsales register` creates; "
            f"use one of {', '.join(_POSTGRES)}"
        )
    return _POSTGRES[connection_id][0]


def register(airflow: AirflowClient, settings: Settings) -> None:
    """Create the connections and pools that Airflow lacks, and update each connection whose setting has changed.

    Edits made in Airflow are kept: existing pools are never changed, and a connection is replaced only when its setting
    differs from the one registered last. Connections that were registered and no longer are, are deleted.

    Raises:
        TransientError, TerminalError: as every call of the client.
    """
    expected = connections(settings)
    digests = {each.connection_id: hashlib.sha256(each.model_dump_json().encode()).hexdigest() for each in expected}
    existing, registered = airflow.get_connections(), _registered(settings)
    airflow.put_connections(
        connection
        for connection in expected
        if connection.connection_id not in existing
        or registered.get(connection.connection_id) != digests[connection.connection_id]
    )
    airflow.delete_connections(registered.keys() & existing.keys() - digests.keys())
    if digests != registered:
        settings.secrets.write(STAMP, json.dumps(digests))
    pools = airflow.get_pools()
    airflow.put_pools(pool for pool in POOLS if pool.name not in pools)


def _registered(settings: Settings) -> dict[str, str]:
    try:
        return dict(json.loads(settings.secrets.password(STAMP)))
    except ConfigError:
        return {}


def connections(settings: Settings) -> list[AirflowConnection]:
    """Return every connection that a DAG uses, with the addresses of the settings."""
    left_out = frozenset[str]() if settings.provision_in_airflow else _ADMINS
    if "warehouse" in settings.dsn and "warehouse_page" not in settings.dsn:
        # the local role does not exist on a server of your own; the page names the setting that it lacks
        left_out |= {"warehouse_page"}
    return [
        *(
            postgres_connection(conn_id, _with_scram(settings, name), text)
            for conn_id, (name, text) in _POSTGRES.items()
            if conn_id not in left_out
        ),
        *(
            mongo_connection(conn_id, settings.address(name), text)
            for conn_id, (name, text) in _MONGO.items()
            if conn_id not in left_out
        ),
        *(
            kafka_connection(conn_id, settings.address(conn_id), text)
            for conn_id, text in _KAFKA.items()
            if conn_id not in left_out
        ),
        redis_connection("redis", settings.address("redis"), "Redis, the global cache"),
    ]


def _with_scram(settings: Settings, name: PublicName | InternalName) -> str:
    return make_conninfo(**require_scram(settings, name, conninfo_to_dict(settings.address(name))))


def alert_connections(settings: Settings) -> dict[str, str]:
    """Return the addresses of Airflow's alert connections by id: none, mail, webhook or both.

    They are not stored in Airflow's database, because a deadline's callback, unlike a task, may not read it.
    """
    addresses = {}
    if settings.alert_mail:
        addresses["alert_mail"] = settings.alert_mail
    if settings.alert_webhook:
        # passed as an option, because Airflow lower-cases a host
        addresses["alert_webhook"] = f"generic:///?{urlencode({'url': settings.alert_webhook})}"
    return addresses


def postgres_connection(connection_id: str, address: str, description: str) -> AirflowConnection:
    """Return the Airflow connection for a PostgreSQL connection string; parameters without a field go to ``extra``.

    Differing ports of several hosts go to ``extra`` too: Airflow's port field holds one number, and its hook prefers
    ``extra``.
    """
    parts = {key: str(value) for key, value in conninfo_to_dict(address).items() if value is not None}
    parts.pop("port", None)
    ports = [port for _, port in postgres_hosts(address)]
    has_one_port = len(set(ports)) == 1
    return AirflowConnection(
        connection_id=connection_id,
        conn_type="postgres",
        description=description,
        host=parts.pop("host", None),
        port=int(ports[0]) if has_one_port else None,
        login=parts.pop("user", None),
        password=parts.pop("password", None),
        schema_=parts.pop("dbname", None),
        extra=json.dumps({"connect_timeout": "10", **parts, **({} if has_one_port else {"port": ",".join(ports)})}),
    )


def mongo_connection(connection_id: str, address: str, description: str) -> AirflowConnection:
    """Return the Airflow connection for a MongoDB connection string; its options go to ``extra``."""
    parts = urlsplit(address)
    options: dict[str, str | bool] = {
        key: value == "true" if value in ("true", "false") else value for key, value in parse_qsl(parts.query)
    }
    if parts.scheme == "mongodb+srv":
        options["srv"] = True
    return AirflowConnection(
        connection_id=connection_id,
        conn_type="mongo",
        description=description,
        # the hosts of a replica set stay in one field, with their ports
        host=parts.netloc.rpartition("@")[2],
        login=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        schema_=parts.path.lstrip("/") or None,
        extra=json.dumps(options),
    )


def kafka_connection(connection_id: str, address: str, description: str) -> AirflowConnection:
    """Return the Airflow connection for Kafka; the client's properties go to ``extra``, without the login."""
    properties = client_properties(address)
    return AirflowConnection(
        connection_id=connection_id,
        conn_type="generic",
        description=description,
        host=properties["bootstrap.servers"],
        login=properties.pop("sasl.username", None),
        password=properties.pop("sasl.password", None),
        extra=json.dumps(properties),
    )


def redis_connection(connection_id: str, address: str, description: str) -> AirflowConnection:
    """Return the Airflow connection for a Redis address; its database is the schema, its options go to ``extra``."""
    parts = urlsplit(address)
    return AirflowConnection(
        connection_id=connection_id,
        conn_type="generic",
        description=description,
        host=parts.hostname,
        port=parts.port or 6379,
        login=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        schema_=parts.path.strip("/") or "0",
        extra=json.dumps({"ssl": parts.scheme == "rediss", **dict(parse_qsl(parts.query))}),
    )
