"""Kafka Connect with Debezium: distributed mode with one worker, as in production.

Its REST API asks for a login. No configuration that a request sends can name a password, a file or other brokers: there
are no configuration providers, the passwords of the sources are in a passfile of libpq's form, and connectors may
override only the settings below.
"""

from collections.abc import Iterator
from pathlib import Path

import httpx
from psycopg.conninfo import conninfo_to_dict

from local.jars import PLUGINS
from local.kafka import gc_log, jvm, login_module, properties
from local.service import Program, Service, Unwell
from promptsales.addresses import postgres_hosts
from promptsales.settings import CONNECT_USER, HOST
from promptsales.stream import connectors
from promptsales.targets import Port

DEBEZIUM = "io.debezium.connector.postgresql.PostgresConnector"
# what schemas/kafka/connectors/postgres.yml overrides for its producer
OVERRIDES = ("buffer.memory", "compression.type", "linger.ms", "max.request.size")
_REST = "org.apache.kafka.connect.rest.basic.auth.extension"
# the worker itself, and the clients that it makes for connectors
_CLIENTS = ("", "producer.", "consumer.", "admin.")


class Connect(Service):
    """One worker; it keeps offsets, configurations and states in topics of the broker."""

    name = "connect"
    ports: tuple[Port, ...] = ("connect",)
    needs = ("kafka",)

    def files(self) -> dict[Path, str]:
        """Return the worker's properties, the login of its REST API and the passwords of the sources."""
        password, login = self.settings.secrets.password("connect"), self.conf / "connect.logins"
        module = f'{_REST}.PropertyFileLoginModule required file="{login}";'
        return {
            self.conf / "connect.properties": self._properties(),
            self.conf / "connect.jaas": f"KafkaConnect {{\n{module}\n}};\n",
            login: properties({CONNECT_USER: password}),
            self.conf / "connect.pgpass": "".join(self._passwords()),
        }

    def _passwords(self) -> Iterator[str]:
        """Yield the lines of the passfile, which PostgreSQL's driver reads when a connector has no password."""
        for connector in connectors.names():
            address = self.settings.address(connectors.source_of(connector))
            parts = conninfo_to_dict(address)
            rest = [str(parts.get(name) or "") for name in ("dbname", "user", "password")]
            for host in postgres_hosts(address):
                yield ":".join(text.replace("\\", r"\\").replace(":", r"\:") for text in (*host, *rest)) + "\n"

    def _login(self) -> dict[str, str]:
        """Return the login of each of its clients."""
        password = self.settings.secrets.password("kafka_connect")
        options = {
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "SCRAM-SHA-512",
            "sasl.jaas.config": login_module("Scram", "promptsales_connect", password),
        }
        return {f"{client}{name}": value for client in _CLIENTS for name, value in options.items()}

    def _properties(self) -> str:
        topics = {f"{kind}.storage.topic": f"connect.{kind}" for kind in ("config", "offset", "status")}
        return properties({
            "bootstrap.servers": f"{HOST}:{self.settings.port('kafka')}",
            "listeners": f"http://{self.address}",
            "rest.advertised.host.name": HOST,
            "group.id": "connect",
            **topics,
            **{f"{kind}.storage.replication.factor": "1" for kind in ("config", "offset", "status")},
            "offset.storage.partitions": "4",
            "status.storage.partitions": "2",
            "offset.flush.interval.ms": "1000",
            # with the default, a worker that left its group (the broker stalled) waits five minutes for itself
            "scheduled.rebalance.max.delay.ms": "0",
            "topic.creation.enable": "false",
            "key.converter": "org.apache.kafka.connect.json.JsonConverter",
            "value.converter": "org.apache.kafka.connect.json.JsonConverter",
            "key.converter.schemas.enable": "false",
            "value.converter.schemas.enable": "false",
            "plugin.path": str(PLUGINS),
            "plugin.discovery": "service_load",
            "rest.extension.classes": f"{_REST}.BasicAuthSecurityRestExtension",
            "connector.client.config.override.policy": "Allowlist",
            "connector.client.config.override.allowlist": ",".join(OVERRIDES),
            **self._login(),
        })  # fmt: skip

    def programs(self) -> list[Program]:
        """Return the worker."""
        temporary = self.settings.state / "tmp"
        jaas = f"-Djava.security.auth.login.config={self.conf / 'connect.jaas'}"
        options = [*jvm(384, temporary), gc_log(self.settings.state, self.name), jaas]
        command = [*options, "org.apache.kafka.connect.cli.ConnectDistributed"]
        environment = {"PGPASSFILE": str(self.conf / "connect.pgpass")}
        return [Program(self.name, [*command, str(self.conf / "connect.properties")], self.conf, environment)]

    def probe(self, started: float) -> str:
        """Read the worker's health, check that Debezium's plugin is loaded, and return both versions."""
        self.check_port()
        try:
            login = (CONNECT_USER, self.settings.secrets.password("connect"))
            with httpx.Client(base_url=f"http://{self.address}", auth=login, timeout=3, trust_env=False) as client:
                if client.get("/health").status_code != httpx.codes.OK:
                    raise Unwell("connect is still starting")
                plugins = {plugin["class"]: plugin["version"] for plugin in client.get("/connector-plugins").json()}
                version = client.get("/").json()["version"]
        except httpx.HTTPError as error:
            raise Unwell(f"connect does not answer: {type(error).__name__}") from None
        if DEBEZIUM not in plugins:
            raise Unwell("connect has not loaded Debezium's plugin; install it with `make setup`")
        return f"{version}, debezium {plugins[DEBEZIUM]}"
