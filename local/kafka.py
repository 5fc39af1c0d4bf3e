"""Kafka 4: one KRaft node, broker and controller in one process."""

import base64
import logging
import os
import subprocess
import uuid
from functools import cache
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from local.service import Program, Service, Unwell
from promptsales.errors import TerminalError
from promptsales.java import JARS, java
from promptsales.settings import HOST, Port

LOG4J = Path(__file__).with_name("log4j2.properties")
_NOWHERE = logging.getLogger("promptsales.local.kafka")
_NOWHERE.addHandler(logging.NullHandler())
_NOWHERE.propagate = False


@cache
def kafka_version() -> str:
    """The version of the jars."""
    name = next((JARS / "kafka").glob("kafka-clients-*.jar")).stem
    return name.removeprefix("kafka-clients-")


def jvm(heap_mb: int, temporary: Path) -> list[str]:
    """How each server on the JVM is started: small."""
    flags = [
        "-XX:+UseSerialGC",
        "-XX:MaxMetaspaceSize=160m",
        "-XX:-UsePerfData",
        "-Xmn64m",  # with less, Connect stood still for three milliseconds eight times a second
        "-Xshare:auto",
    ]
    places = [f"-Dlog4j2.configurationFile={LOG4J}", f"-Djava.io.tmpdir={temporary}", "-Djava.awt.headless=true"]
    return [java().command, "-Xms128m", f"-Xmx{heap_mb}m", *flags, *places, "-cp", f"{JARS / 'kafka'}/*"]


def properties(chosen: dict[str, str]) -> str:
    """A Java properties file."""
    return "".join(f"{key}={value}\n" for key, value in chosen.items())


class Kafka(Service):
    """The broker. Topics are made by ``promptsales topics``, never by a client's typing error."""

    name = "kafka"
    ports: tuple[Port, ...] = ("kafka", "kafka_controller")

    def _properties(self, folder: Path) -> str:
        controller = f"{HOST}:{self.settings.port('kafka_controller')}"
        single = ("offsets.topic.replication.factor", "transaction.state.log.replication.factor",
                  "transaction.state.log.min.isr", "share.coordinator.state.topic.replication.factor",
                  "share.coordinator.state.topic.min.isr", "default.replication.factor")  # fmt: skip
        return properties({
            "process.roles": "broker,controller",
            "node.id": "1",
            "listeners": f"PLAINTEXT://{self.address},CONTROLLER://{controller}",
            "advertised.listeners": f"PLAINTEXT://{self.address}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": "PLAINTEXT",
            "controller.quorum.bootstrap.servers": controller,
            "log.dirs": str(folder),
            "auto.create.topics.enable": "false",
            "num.partitions": "6",
            "group.initial.rebalance.delay.ms": "0",
            **dict.fromkeys(single, "1"),
            "offsets.topic.num.partitions": "4",
            "transaction.state.log.num.partitions": "2",
            "num.network.threads": "2",
            "num.io.threads": "4",
            "log.segment.bytes": "67108864",
            "log.cleaner.dedupe.buffer.size": "16777216",
        })  # fmt: skip

    def files(self) -> dict[Path, str]:
        """The broker's properties."""
        return {self.conf / "kafka.properties": self._properties(self.data)}

    def programs(self) -> list[Program]:
        """The broker."""
        command = [*jvm(384, self.settings.state / "tmp"), "kafka.Kafka", str(self.conf / "kafka.properties")]
        return [Program(self.name, command, self.conf, stop_wait_s=30)]

    def prepare(self) -> None:
        """Format its storage in a draft folder, so that a kill never leaves half of it in place."""
        if not self.data.exists():
            with self.draft() as folder:
                self._format(folder)

    def _format(self, draft: Path) -> None:
        config, storage = draft / "properties", draft / "storage"
        config.write_text(self._properties(storage))
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        command = [*jvm(128, self.settings.state / "tmp"), "kafka.tools.StorageTool", "format", "--standalone"]
        command += [f"--cluster-id={cluster}", "--config", str(config)]
        environment = {"PATH": os.defpath}
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=draft, env=environment)
        if done.returncode:
            said = (done.stderr.strip() or done.stdout.strip() or f"exit code {done.returncode}").splitlines()[-1]
            raise TerminalError(f"kafka: formatting its storage failed: {said}")
        storage.replace(self.data)

    def probe(self, started: float) -> str:
        """Ask for the cluster's metadata."""
        self.knock()
        client = AdminClient({"bootstrap.servers": self.address, "socket.timeout.ms": 2000}, logger=_NOWHERE)
        try:
            if not client.list_topics(timeout=2).brokers:
                raise Unwell("kafka has no broker yet")
        except KafkaException as error:
            raise Unwell(f"kafka does not answer: {error.args[0].name()}") from None
        return kafka_version()
