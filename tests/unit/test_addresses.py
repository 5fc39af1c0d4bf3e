"""Addresses that no driver could use are refused in one line that names the setting and quotes no part of them."""

import json
import os
import ssl
import subprocess
import sys
from typing import get_args

import pytest
from faust.transport.drivers.aiokafka import credentials_to_aiokafka_auth

from promptsales.addresses import format_hosts, postgres_hosts, split_login
from promptsales.airflow_client.registration import mongo_connection, postgres_connection
from promptsales.errors import ConfigError
from promptsales.kafka_address import client_properties, compose_address
from promptsales.settings import Settings
from promptsales.stream.connectors import config, source_properties
from promptsales.targets import InternalName, PublicName
from streams.app import _configure_faust as faust_app
from streams.credentials import create_credentials

SECRET = "hunter2"
# malformed for every connection: a broken scheme, a wrong scheme, no scheme, an empty text, a blank one
ANY = (
    f"postgres//user:{SECRET}@host/db",
    f"ftp://user:{SECRET}@host:21/db",
    f"user:{SECRET}@host",
    "",
    " ",
)
URL = (
    "{scheme}://user:{secret}@@host:1/0@",
    "{scheme}://user:{secret}/x@host:1/0",
    "{scheme}://user:12/{secret}@host:1/0",
    "{scheme}://user:x@host:{secret}/0",
    "{scheme}://user:x@host:99999/0?{secret}",
    "{scheme}://user:{secret}@",
    "{scheme}://user:{secret}@[::1/0",
    "{scheme}://user:{secret}@host:1/0\n",
    "{scheme}://user:{secret}\x1b[2J@host:1/0",
)
POSTGRES = (
    *URL,
    "{scheme}://user:pa%zz{secret}@host/db",
    "{scheme}://user:{secret}@h1:1,h2:2,h3:3/db?port=1,2",
    "{scheme}://user:{secret}@host/db?sslmode=maybe",
    "{scheme}://user:{secret}@host/db?target_session_attrs=master",
    "{scheme}://user:{secret}@host/db?{secret}=1",
    "host=h1,h2 port=1,2,3 password={secret} dbname=db",
    "host=h1 port=x password={secret}",
    "host=h1 password={secret} {secret}",
    "password={secret}",
)
MONGO = (
    *URL[1:],
    "{scheme}://user:pa%zz{secret}@host/db",
    "{scheme}://user:{secret}@host,host2/db?directConnection=true",
    "{scheme}://user:{secret}@host/db?{secret}=1",
    "{scheme}://user:{secret}@host/db?readPreference={secret}",
    "mongodb+srv://user:{secret}@host:1/db",
    "mongodb+srv://user:{secret}@a.example.com,b.example.com/db",
)
REDIS = (*URL, "{scheme}://user:{secret}@h1:1,h2:2/0", "{scheme}://user:{secret}@host/{secret}", "unix:///{secret}",
         "{scheme}://:{secret}@host/0?socket_timeout={secret}")  # fmt: skip
KAFKA = (
    "kafka://{secret}@host:1",
    "kafka://user:{secret}@@host:1",
    "kafka://user:{secret}/x@host:1",
    "kafka://user:x@host:{secret}",
    "kafka://user:{secret}@host:1/",
    "kafka://user:{secret}@host:1?x={secret}",
    "kafka://user:{secret}@host:1?security.protocol={secret}",
    "kafka://user:{secret}@host:1?security.protocol=SSL",
    "kafka://user:{secret}@host:1?sasl.mechanism=PLAIN",
    "kafka://host:1?security.protocol=SASL_SSL&ssl.ca.location={secret}",
    "kafka://host:1?security.protocol=SASL_SSL",
    "host:9092,user:{secret}@host",
    "host:x{secret}",
    "host:99999",
    "host:9092,,host:1",
    "h h",
)
HTTP = (*URL, "{scheme}://user:{secret}@h1:1,{scheme}://h2:2")

KINDS: dict[str, tuple[tuple[str, ...], str]] = {
    "promptcontent": (MONGO, "mongodb"),
    "promptcontent_etl": (MONGO, "mongodb"),
    "promptcontent_admin": (MONGO, "mongodb"),
    "redis": (REDIS, "redis"),
    **dict.fromkeys(("kafka", "kafka_stream", "kafka_content", "kafka_alerts"), (KAFKA, "")),
    "connect": (HTTP, "http"),
    "airflow": ((*HTTP, "http://{secret}@host:1", "http://host:1"), "http"),
}
NAMES = (*get_args(PublicName), *get_args(InternalName))
MALFORMED = [
    (name, text.format(scheme=scheme, secret=SECRET))
    for name in NAMES
    for texts, scheme in [KINDS.get(name, (POSTGRES, "postgresql"))]
    for text in (*ANY, *texts)
]
WELL_FORMED = [
    ("warehouse", "postgresql://u:p%40ss@h1:5432,h2:5433/db?target_session_attrs=read-write&sslmode=require"),
    ("warehouse", "host=h1,h2 port=5433 dbname=db user=u password='p @ s' connect_timeout=3"),
    ("warehouse", "postgresql://u@[::1]:5432,10.0.0.1/db"),
    ("warehouse", "host=/run/postgresql dbname=db"),
    ("promptcontent_etl", "mongodb://u:p%2Fw@a:1,b_2:2/db?replicaSet=rs0&authSource=admin&tls=true"),
    ("promptcontent_etl", "mongodb+srv://u:p@cluster.example.com/db?retryWrites=true"),
    ("redis", "rediss://u:p%2Fw@[::1]:7000/2?socket_timeout=3"),
    ("redis", "redis://host"),
    ("kafka", "h1:9092, h_2:9093,[::1]:9094,h4"),
    ("kafka", "kafka://u:p%40ss@h1:9092,h_2:9093?security.protocol=SASL_SSL&sasl.mechanism=PLAIN"),
    ("kafka_stream", "kafka://h1:9092?security.protocol=SSL&ssl.ca.location=/etc/ca.pem"),
    ("connect", "https://u:p@host:8083/prefix"),
    ("airflow", "https://admin:p%40ss@airflow.example.com"),
]  # fmt: skip


def refused(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> str:
    """Return the error of the settings about a variable, through the function that every process calls."""
    from promptsales.settings import settings

    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigError) as caught:
        settings.__wrapped__()
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return str(caught.value)


@pytest.mark.parametrize(("name", "address"), MALFORMED)
def test_malformed(monkeypatch: pytest.MonkeyPatch, name: str, address: str) -> None:
    text = refused(monkeypatch, f"PROMPTSALES_DSN__{name.upper()}", address)
    assert text.startswith(f"connection {name}: its address is malformed: ")
    assert text.endswith(f"; correct the setting PROMPTSALES_DSN__{name.upper()}")
    assert SECRET not in text


@pytest.mark.parametrize(("name", "address"), WELL_FORMED)
def test_well_formed(name: PublicName, address: str) -> None:
    settings = Settings(dsn={name: address})
    assert settings.address(name) == address
    assert address not in repr(settings)


@pytest.mark.parametrize(
    ("variable", "value", "text"),
    [
        ("PROMPTSALES_DSN", f'{{"redis": "redis://:{SECRET}@h"', "setting PROMPTSALES_DSN is not a JSON object"),
        ("PROMPTSALES_DSN", f"postgresql://u:{SECRET}@h", "setting PROMPTSALES_DSN is not a JSON object"),
        ("PROMPTSALES_DSN", f'["{SECRET}"]', "settings: PROMPTSALES_DSN: input should be a valid dictionary; docs"),
        ("PROMPTSALES_DSN", f'{{"redis": ["{SECRET}"]}}', "settings: PROMPTSALES_DSN__REDIS: input"),
        ("PROMPTSALES_DSN__REDIS__URL", SECRET, "settings: PROMPTSALES_DSN__REDIS: input should be a valid string"),
        ("PROMPTSALES_DSN__WAREHUOSE", f"postgresql://u:{SECRET}@h", "setting PROMPTSALES_DSN: no connection is called "
            "'warehuose'; use one of promptsales, promptads, "),
        ("PROMPTSALES_DSN", f'{{"postgresql://u:{SECRET}@h": "redis"}}', "setting PROMPTSALES_DSN: no connection is "
            "called a text that is not a name; use one of "),
        ("PROMPTSALES_PORT_BASE", SECRET, "settings: PROMPTSALES_PORT_BASE: input should be a valid integer"),
        ("PROMPTSALES_ALERT_MAIL", f"smtp//u:{SECRET}@h", "setting alert_mail must be like smtp://"),
        ("PROMPTSALES_ALERT_MAIL", f"smtp://u:x@h:{SECRET}/?from_email=a&to_email=b", "setting alert_mail must"),
        ("PROMPTSALES_ALERT_MAIL", f"smtp://u:pa/{SECRET}@h:25/?from_email=a&to_email=b", "setting alert_mail must be"),
        ("PROMPTSALES_ALERT_WEBHOOK", f"hooks.example.com/{SECRET}", "setting alert_webhook is malformed: it does not"),
        ("PROMPTSALES_ALERT_WEBHOOK", f"https:///{SECRET}", "setting alert_webhook is malformed: it names no host"),
        ("PROMPTSALES_ALERT_WEBHOOK", f"https://h:x{SECRET}/", "setting alert_webhook is malformed: its host or"),
    ],
)  # fmt: skip
def test_other_settings(monkeypatch: pytest.MonkeyPatch, variable: str, value: str, text: str) -> None:
    message = refused(monkeypatch, variable, value)
    assert message.startswith(text)
    assert SECRET not in message


@pytest.mark.parametrize("words", [("freshness",), ("doctor",), ("dsn", "warehouse"), ("topics", "plan")])
def test_a_command_says_it_in_one_line(words: tuple[str, ...]) -> None:
    dsn = {"promptads": f"postgres//u:{SECRET}@h/d"}
    result = subprocess.run(
        [sys.executable, "-c", "from promptsales.cli.main import main; main()", *words],
        capture_output=True, text=True, check=False, env={**os.environ, "PROMPTSALES_DSN": json.dumps(dsn)},
    )  # fmt: skip
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert result.stderr.startswith("error: connection promptads: its address is malformed: libpq cannot read it")
    assert SECRET not in result.stderr


def test_a_worker_says_it_in_one_line() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "streams", "0"], capture_output=True, text=True, check=False,
        env={**os.environ, "PROMPTSALES_DSN__WAREHOUSE": f"postgres//u:{SECRET}@h/d"},
    )  # fmt: skip
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert result.stderr.startswith("error: connection warehouse: its address is malformed")
    assert SECRET not in result.stderr


def test_several_hosts() -> None:
    address = "postgresql://u:p@h1:5432,h2:5433/db?target_session_attrs=read-write"
    assert postgres_hosts(address) == [("h1", "5432"), ("h2", "5433")]
    assert postgres_hosts("host=h1,h2 port=7") == [("h1", "7"), ("h2", "7")]
    assert postgres_hosts("postgresql://h1,h2:5433/db") == [("h1", "5432"), ("h2", "5433")]
    assert format_hosts("warehouse", address) == "h1:5432, h2:5433"
    assert format_hosts("promptcontent_etl", "mongodb://u:p@a:1,b:2/db?x=y") == "a:1,b:2"
    assert format_hosts("kafka", "a:1,b:2") == "a:1,b:2"
    assert format_hosts("kafka_stream", "kafka://u:p@a:1,b:2?security.protocol=SASL_SSL") == "a:1,b:2"
    assert format_hosts("redis", "redis://:p%40@a:1/0") == "a:1"


def test_several_hosts_in_airflow() -> None:
    address = "postgresql://u:p@h1:5432,h2:5433/db?target_session_attrs=read-write"
    connection = postgres_connection("warehouse", address, "")
    assert (connection.host, connection.port, connection.schema_) == ("h1,h2", None, "db")
    assert json.loads(connection.extra or "") == {
        "connect_timeout": "10", "target_session_attrs": "read-write", "port": "5432,5433",
    }  # fmt: skip
    one_port = postgres_connection("warehouse", "host=h1,h2 port=5433 dbname=db", "")
    assert (one_port.host, one_port.port, one_port.extra) == ("h1,h2", 5433, '{"connect_timeout": "10"}')
    assert mongo_connection("x", "mongodb://u:p%2Bw@a:1,b:2/?replicaSet=rs0", "").password == "p+w"


def test_several_brokers_in_faust() -> None:
    settings = Settings(dsn={"kafka": "h1:9092,h2:9093"})
    conf = faust_app(settings, 1).conf
    assert [(url.host, url.port) for url in conf.broker] == [("h1", 9092), ("h2", 9093)]
    assert conf.broker_credentials is None


def test_a_login_and_tls_in_faust() -> None:
    plain = faust_app(Settings(dsn={"kafka_stream": "kafka://u:p%40ss@h1:9092,h2:9093"}), 1).conf
    assert [str(url) for url in plain.broker] == ["kafka://h1:9092", "kafka://h2:9093"]
    login = credentials_to_aiokafka_auth(plain.broker_credentials)
    assert login == {
        "security_protocol": "SASL_PLAINTEXT", "sasl_mechanism": "SCRAM-SHA-512", "sasl_plain_username": "u",
        "sasl_plain_password": "p@ss", "ssl_context": None,
    }  # fmt: skip
    address = "kafka://u:p@h?security.protocol=SASL_SSL&sasl.mechanism=PLAIN"
    login = credentials_to_aiokafka_auth(create_credentials(address))
    assert login["ssl_context"].verify_mode is ssl.CERT_REQUIRED
    assert (login["security_protocol"], login["sasl_mechanism"]) == ("SASL_SSL", "PLAIN")
    login = credentials_to_aiokafka_auth(create_credentials("kafka://h:1?security.protocol=SSL"))
    assert (login["security_protocol"], login["ssl_context"].check_hostname) == ("SSL", True)


@pytest.mark.parametrize(
    ("address", "properties"),
    [
        ("h1:1, h2:2", {"bootstrap.servers": "h1:1, h2:2"}),
        ("kafka://h1:1,h2:2?security.protocol=SSL&ssl.ca.location=%2Fetc%2Fca.pem",
         {"bootstrap.servers": "h1:1,h2:2", "security.protocol": "SSL", "ssl.ca.location": "/etc/ca.pem"}),
        ("kafka://u%3A:p%40%25@h:1?security.protocol=SASL_PLAINTEXT&sasl.mechanism=SCRAM-SHA-512",
         {"bootstrap.servers": "h:1", "security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "SCRAM-SHA-512",
          "sasl.username": "u:", "sasl.password": "p@%"}),
    ],
)  # fmt: skip
def test_what_a_client_of_kafka_gets(address: str, properties: dict[str, str]) -> None:
    assert client_properties(address) == properties
    composed = compose_address(properties)
    assert composed == (address if "://" in address else f"kafka://{address}")
    assert client_properties(composed) == properties


def test_every_party_uses_the_login_of_your_brokers_unless_it_has_its_own() -> None:
    settings = Settings(dsn={"kafka": "h:1", "kafka_stream": "kafka://u:p@h:1"})
    names: tuple[InternalName, ...] = ("kafka_stream", "kafka_content", "kafka_alerts")
    assert [settings.address(name) for name in names] == ["kafka://u:p@h:1", "h:1", "h:1"]


def test_debezium_takes_one_host() -> None:
    two_hosts = Settings(dsn={"promptcrm_cdc": f"postgresql://cdc:{SECRET}@h1:5432,h2:5433/promptcrm"})
    with pytest.raises(ConfigError) as caught:
        config(two_hosts, "promptcrm", 1)
    assert str(caught.value).startswith(
        "connection promptcrm_cdc: it names 2 hosts, h1:5432, h2:5433; Debezium follows"
    )
    one_host = Settings(dsn={"promptcrm_cdc": "host=h1 port=7 dbname=promptcrm sslmode=require"})
    expected = {"hostname": "h1", "port": "7", "dbname": "promptcrm", "sslmode": "require"}
    actual = source_properties(one_host, "promptcrm")
    assert {key: actual[f"database.{key}"] for key in expected} == expected


def test_a_login_is_not_in_what_a_client_logs() -> None:
    assert split_login("https://u:p%40ss@h:1/x") == ("https://h:1/x", ("u", "p@ss"))
    assert split_login("http://h:1") == ("http://h:1", None)
