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

from local.service import Program, Service, Unwell, last_line
from promptsales.bus import rights, topics
from promptsales.errors import TerminalError, TransientError
from promptsales.java import JARS, java
from promptsales.kafka_address import client_properties
from promptsales.settings import HOST
from promptsales.specs.rights import read_rights
from promptsales.targets import Port

LOG4J = Path(__file__).with_name("log4j2.properties")
_SILENT = logging.getLogger("promptsales.local.kafka")
_SILENT.addHandler(logging.NullHandler())
_SILENT.propagate = False


_SECURITY = "org.apache.kafka.common.security"


@cache
def kafka_version() -> str:
    """Return the version of the installed Kafka jars."""
    name = next((JARS / "kafka").glob("kafka-clients-*.jar")).stem
    return name.removeprefix("kafka-clients-")


def jvm(heap_mb: int, temporary: Path) -> list[str]:
    """Return the command that starts a small JVM with Kafka's class path; a server adds its main class."""
    flags = [
        "-XX:+UseSerialGC",
        "-XX:MaxMetaspaceSize=160m",
        "-XX:-UsePerfData",
        "-Xmn64m",  # with less, Connect pauses for 3 ms eight times a second to collect garbage
        "-Xshare:auto",
    ]
    options = [f"-Dlog4j2.configurationFile={LOG4J}", f"-Djava.io.tmpdir={temporary}", "-Djava.awt.headless=true"]
    # else a client's own configuration can name a provider, which reads any file of the server's user into it
    options.append("-Dorg.apache.kafka.automatic.config.providers=none")
    return [java().command, "-Xms128m", f"-Xmx{heap_mb}m", *flags, *options, "-cp", f"{JARS / 'kafka'}/*"]


def gc_log(state: Path, name: str) -> str:
    """Return the option by which a JVM logs its pauses in `logs/NAME.gc`, a line each, for `make bench-stream`."""
    return f'-Xlog:gc:file="{state / "logs" / name}.gc":utctime:filecount=1,filesize=1m'


def properties(options: dict[str, str]) -> str:
    """Return the text of a Java properties file."""
    return "".join(f"{key}={value}\n" for key, value in options.items())


def login_module(mechanism: str, user: str, password: str, *also: str) -> str:
    """Return the login of a Java client, as a value of a properties file; ``also`` is added as it is."""
    kind = f"{_SECURITY}.{mechanism.lower()}.{mechanism}LoginModule"
    return " ".join([kind, f'required username="{user}" password="{password}"', *also]) + ";"


def operator_login(password: str) -> str:
    """Return the brokers' own login, the operator's, and that they accept it without looking it up."""
    user = read_rights().operator
    return login_module("Plain", user, password, f'user_{user}="{password}"')


class Kafka(Service):
    """The broker. ``promptsales provision`` creates topics; the broker creates none, so that a mistyped name fails.

    Clients log in with SCRAM, whose logins are kept in the broker's own log. The operator's login stands in the
    properties too, with the mechanism PLAIN: the broker and its controller use it between them, and ``settle`` uses it
    to create the others, in a new state folder as well as in one from before there were logins.
    """

    name = "kafka"
    ports: tuple[Port, ...] = ("kafka", "kafka_controller")

    def _properties(self, folder: Path) -> str:
        controller = f"{HOST}:{self.settings.port('kafka_controller')}"
        replicas = ("offsets.topic.replication.factor", "transaction.state.log.replication.factor",
                    "transaction.state.log.min.isr", "share.coordinator.state.topic.replication.factor",
                    "share.coordinator.state.topic.min.isr", "default.replication.factor")  # fmt: skip
        return properties({
            "process.roles": "broker,controller",
            "node.id": "1",
            "listeners": f"CLIENTS://{self.address},CONTROLLER://{controller}",
            "advertised.listeners": f"CLIENTS://{self.address}",
            "listener.security.protocol.map": "CLIENTS:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT",
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": "CLIENTS",
            **self._logins(),
            "controller.quorum.bootstrap.servers": controller,
            "log.dirs": str(folder),
            "auto.create.topics.enable": "false",
            "num.partitions": "6",
            "group.initial.rebalance.delay.ms": "0",
            **dict.fromkeys(replicas, "1"),
            "offsets.topic.num.partitions": "4",
            "transaction.state.log.num.partitions": "2",
            "num.network.threads": "2",
            "num.io.threads": "4",
            "log.segment.bytes": "67108864",
            "log.cleaner.dedupe.buffer.size": "16777216",
        })  # fmt: skip

    def _logins(self) -> dict[str, str]:
        operator = operator_login(self.settings.secrets.password("kafka_operator"))
        return {
            "listener.name.clients.sasl.enabled.mechanisms": "SCRAM-SHA-512,PLAIN",
            "listener.name.clients.scram-sha-512.sasl.jaas.config": f"{_SECURITY}.scram.ScramLoginModule required;",
            "listener.name.clients.plain.sasl.jaas.config": operator,
            "listener.name.controller.sasl.enabled.mechanisms": "PLAIN",
            "listener.name.controller.plain.sasl.jaas.config": operator,
            "sasl.mechanism.inter.broker.protocol": "PLAIN",
            "sasl.mechanism.controller.protocol": "PLAIN",
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "allow.everyone.if.no.acl.found": "false",
            "super.users": f"User:{read_rights().operator}",
        }

    def files(self) -> dict[Path, str]:
        """Return the broker's properties, which hold the operator's password."""
        return {self.conf / "kafka.properties": self._properties(self.data)}

    def programs(self) -> list[Program]:
        """Return the broker."""
        state = self.settings.state
        command = [
            *jvm(384, state / "tmp"),
            gc_log(state, self.name),
            "kafka.Kafka",
            str(self.conf / "kafka.properties"),
        ]
        return [Program(self.name, command, self.conf, stop_wait_s=30)]

    def prepare(self) -> None:
        """Format the storage in a draft folder, so that a kill leaves no half-formatted one in place."""
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
        result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=draft, env=environment)
        if result.returncode:
            raise TerminalError(f"kafka: formatting its storage failed: {last_line(result)}")
        storage.replace(self.data)

    def settle(self) -> None:
        """Create the logins and grant their rights: Connect and the workers need both to start."""
        self.check_port()
        rules, secret = read_rights(), self.settings.secrets.password
        users = (rules.operator, *rules.parties)
        client = topics.admin(f"{self.settings.local_kafka('kafka_operator')}?sasl.mechanism=PLAIN")
        try:
            rights.set_passwords(client, {user: secret(user.replace("promptsales", "kafka")) for user in users})
            rights.apply(client, rights.plan(client))
        except TransientError as error:
            raise Unwell(f"kafka accepts no logins yet: {error}") from None

    def probe(self, started: float) -> str:
        """Read the cluster's metadata as the operator, and return Kafka's version."""
        self.check_port()
        login = client_properties(self.settings.local_kafka("kafka_operator"))
        client = AdminClient({**login, "socket.timeout.ms": 2000}, logger=_SILENT)
        try:
            if not client.list_topics(timeout=2).brokers:
                raise Unwell("kafka has no broker yet")
        except KafkaException as error:
            raise Unwell(f"kafka does not answer: {error.args[0].name()}") from None
        return kafka_version()
