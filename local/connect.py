"""Kafka Connect with Debezium: distributed mode with one worker, as in production."""

from pathlib import Path

import httpx

from local.jars import PLUGINS
from local.kafka import jvm, properties
from local.service import Program, Service, Unwell
from promptsales.settings import HOST, Port

DEBEZIUM = "io.debezium.connector.postgresql.PostgresConnector"
# connectors refer to ${env:PROMPTSALES_CDC_PASSWORD}, the only variable that Connect may resolve
CDC_PASSWORD = "PROMPTSALES_CDC_PASSWORD"  # noqa: S105 - the name of a variable


class Connect(Service):
    """One worker; it keeps offsets, configurations and states in topics of the broker."""

    name = "connect"
    ports: tuple[Port, ...] = ("connect",)
    needs = ("kafka",)

    def files(self) -> dict[Path, str]:
        """Return the worker's properties."""
        topics = {f"{kind}.storage.topic": f"connect.{kind}" for kind in ("config", "offset", "status")}
        text = properties({
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
            "config.providers": "env",
            "config.providers.env.class": "org.apache.kafka.common.config.provider.EnvVarConfigProvider",
            "config.providers.env.param.allowlist.pattern": CDC_PASSWORD,
        })  # fmt: skip
        return {self.conf / "connect.properties": text}

    def programs(self) -> list[Program]:
        """Return the worker."""
        temporary = self.settings.state / "tmp"
        command = [*jvm(384, temporary), "org.apache.kafka.connect.cli.ConnectDistributed"]
        environment = {CDC_PASSWORD: self.settings.secrets.password("cdc")}
        return [Program(self.name, [*command, str(self.conf / "connect.properties")], self.conf, environment)]

    def probe(self, started: float) -> str:
        """Read the worker's health, check that Debezium's plugin is loaded, and return both versions."""
        self.check_port()
        try:
            with httpx.Client(base_url=f"http://{self.address}", timeout=3, trust_env=False) as client:
                if client.get("/health").status_code != httpx.codes.OK:
                    raise Unwell("connect is still starting")
                plugins = {plugin["class"]: plugin["version"] for plugin in client.get("/connector-plugins").json()}
                version = client.get("/").json()["version"]
        except httpx.HTTPError as error:
            raise Unwell(f"connect does not answer: {type(error).__name__}") from None
        if DEBEZIUM not in plugins:
            raise Unwell("connect has not loaded Debezium's plugin; install it with `make setup`")
        return f"{version}, debezium {plugins[DEBEZIUM]}"
