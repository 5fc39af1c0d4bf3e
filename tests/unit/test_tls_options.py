"""TLS options of an address reach every client that uses it."""

import json
import ssl
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from redis.connection import parse_url

from promptsales.airflow_client.models import AirflowConnection
from promptsales.airflow_client.registration import mongo_connection, postgres_connection, redis_connection
from promptsales.airflow_client.stored import redis_url
from promptsales.certificates import trusted
from promptsales.connections import open_with
from promptsales.errors import ConfigError
from promptsales.jdbc import security_properties
from promptsales.settings import Settings
from promptsales.stream.connectors import source_properties

OPTIONS = {"sslmode": "verify-full", "sslrootcert": "/ca.pem", "sslcert": "/me.pem", "sslkey": "/me.key"}
ADDRESS = "postgresql://u:pw@h:1/d?" + "&".join(f"{key}={value}" for key, value in OPTIONS.items())


def test_psycopg() -> None:
    asked: list[dict[str, Any]] = []

    def connect(parameters: dict[str, Any]) -> psycopg.Connection:
        asked.append(parameters)
        raise psycopg.OperationalError("connection refused")

    with pytest.raises(psycopg.OperationalError):
        open_with(connect, Settings(), "warehouse", conninfo_to_dict(ADDRESS))
    assert {key: asked[0][key] for key in OPTIONS} == OPTIONS


def test_airflow() -> None:
    extra = json.loads(postgres_connection("warehouse", ADDRESS, "").extra or "")
    assert extra == {"connect_timeout": "10"} | OPTIONS


def test_spark() -> None:
    assert security_properties("warehouse", conninfo_to_dict(ADDRESS)) == OPTIONS


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {}),
        ({"sslmode": "require"}, {"sslmode": "require"}),
        # libpq then checks the certificate, the driver of Java would not
        ({"sslmode": "require", "sslrootcert": "/ca"}, {"sslmode": "verify-ca", "sslrootcert": "/ca"}),
        (
            {"sslrootcert": "system"},
            {"sslmode": "verify-full", "sslfactory": "org.postgresql.ssl.DefaultJavaSSLFactory"},
        ),
        ({"channel_binding": "require"}, {"channelBinding": "require"}),
        ({"gssencmode": "disable"}, {"gssEncMode": "disable"}),
        ({"require_auth": "!password,!md5"}, {"requireAuth": "!password,!md5"}),
    ],
)  # fmt: skip
def test_the_same_in_java(given: dict[str, str], expected: dict[str, str]) -> None:
    assert security_properties("warehouse", given) == expected


@pytest.mark.parametrize("option", ["sslcrl", "sslcrldir", "ssl_min_protocol_version", "requirepeer"])
def test_what_java_lacks_is_refused(option: str) -> None:
    with pytest.raises(ConfigError, match=f"connection warehouse: its option {option} has no counterpart"):
        security_properties("warehouse", {option: "x"})


def test_debezium() -> None:
    properties = source_properties(Settings(dsn={"promptcrm_cdc": f"{ADDRESS}&channel_binding=require"}), "promptcrm")
    assert properties == {
        **{"database.hostname": "h", "database.port": "1", "database.dbname": "d"},
        **{f"database.{key}": value for key, value in OPTIONS.items()},
        "driver.channelBinding": "require",
    }
    with pytest.raises(ConfigError, match="sslpassword would be readable in Debezium's configuration"):
        source_properties(Settings(dsn={"promptcrm_cdc": f"{ADDRESS}&sslpassword=x"}), "promptcrm")


class _Stored:
    """A connection as Airflow gives it to a task."""

    def __init__(self, registered: AirflowConnection) -> None:
        self.host, self.port, self.schema = registered.host, registered.port, registered.schema_
        self.extra_dejson = json.loads(registered.extra or "{}")


def test_redis_in_airflow() -> None:
    address = "rediss://u:p@cache.example:7000/2?ssl_ca_certs=/ca.pem&ssl_check_hostname=true&ssl_cert_reqs=required"
    direct = parse_url(address)  # type: ignore[no-untyped-call]
    stored: Any = _Stored(redis_connection("redis", address, ""))
    assert parse_url(redis_url(stored)) == {  # type: ignore[no-untyped-call]
        key: value for key, value in direct.items() if key not in ("username", "password")
    }
    assert direct["ssl_ca_certs"] == "/ca.pem"
    assert urlsplit(redis_url(stored)).password is None


def test_mongodb_in_airflow() -> None:
    address = "mongodb://u:p@a:1/db?tls=true&tlsCAFile=/ca.pem&tlsCertificateKeyFile=/me.pem"
    extra = {"tls": True, "tlsCAFile": "/ca.pem", "tlsCertificateKeyFile": "/me.pem"}
    assert json.loads(mongo_connection("x", address, "").extra or "") == extra


def test_authorities_of_your_own_for_https(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import certifi

    text = Path(certifi.where()).read_text(encoding="utf-8")
    one = text[text.index("-----BEGIN") : text.index("-----END") + len("-----END CERTIFICATE-----")]
    (tmp_path / "ca.pem").write_text(one)
    assert len(trusted().get_ca_certs()) > 1
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    assert trusted().get_ca_certs(binary_form=True) == [ssl.PEM_cert_to_DER_cert(one)]
