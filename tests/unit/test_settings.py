"""Settings: ports, addresses, time zones, the environment."""

from pathlib import Path
from typing import get_args

import pytest

from promptsales.errors import ConfigError
from promptsales.settings import Settings
from promptsales.settings import settings as settings_of_this_process
from promptsales.targets import Port, connection_names


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = Settings(state=tmp_path, port_base=30000, dsn={"warehouse": "postgresql://me@elsewhere/dw"})
    for name in (
        "promptcrm_owner",
        "bi",
        "redis",
        "kafka_operator",
        "kafka_stream",
        "connect",
        "mongo_promptcontent",
        "airflow_admin",
    ):
        settings.secrets.write(name, f"secret-{name}")
    return settings


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("warehouse", "postgresql://me@elsewhere/dw"),
        ("bi", "postgresql://bi:secret-bi@127.0.0.1:30001/warehouse"),
        (
            "promptcrm",
            "postgresql://promptcrm_owner:secret-promptcrm_owner@127.0.0.1:30000/promptcrm?options=-csearch_path%3Dcrm",
        ),
        ("redis", "redis://:secret-redis@127.0.0.1:30003/0"),
        ("kafka", "kafka://promptsales_operator:secret-kafka_operator@127.0.0.1:30004"),
        ("kafka_stream", "kafka://promptsales_stream:secret-kafka_stream@127.0.0.1:30004"),
        ("connect", "http://promptsales:secret-connect@127.0.0.1:30006"),
        ("airflow", "http://admin:secret-airflow_admin@127.0.0.1:30007"),
        (
            "promptcontent",
            "mongodb://promptcontent:secret-mongo_promptcontent@127.0.0.1:30002/promptcontent"
            "?directConnection=true&authSource=admin",
        ),
    ],
)
def test_address(settings: Settings, name: str, address: str) -> None:
    assert settings.address(name) == address  # type: ignore[arg-type]


def test_unknown_name_names_the_known_ones(settings: Settings) -> None:
    with pytest.raises(ConfigError, match="no connection is called 'crm'; use one of promptsales, promptads"):
        settings.address("crm")  # type: ignore[arg-type]
    assert "warehouse" in connection_names()


def test_missing_secret_says_what_to_do(settings: Settings) -> None:
    with pytest.raises(ConfigError, match="run `promptsales up` first"):
        settings.address("promptads")


@pytest.mark.parametrize("zone", ["+05:30", "UTC+5", "Europe/Atlantis", "", "../UTC"])
def test_an_unknown_zone_is_refused(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMPTSALES_REPORTING_TIMEZONE", zone)
    message = "settings: PROMPTSALES_REPORTING_TIMEZONE: .* is not a name of the IANA time zone database; use one such"
    with pytest.raises(ConfigError, match=message):
        settings_of_this_process.__wrapped__()
    monkeypatch.setenv("PROMPTSALES_REPORTING_TIMEZONE", "Asia/Kathmandu")
    assert settings_of_this_process.__wrapped__().reporting_timezone == "Asia/Kathmandu"


def test_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMPTSALES_PORT_BASE", "31000")
    monkeypatch.setenv("PROMPTSALES_DSN__KAFKA", "broker:9092")
    settings = Settings()
    assert (settings.port("sources"), settings.address("kafka")) == (31000, "broker:9092")
    assert settings.address("kafka_stream") == "broker:9092"


def test_a_source_of_ones_own_is_not_audited_in_the_local_stack(settings: Settings) -> None:
    own = settings.model_copy(update={"dsn": {"promptcrm_cdc": "postgresql://cdc:x@elsewhere/promptcrm"}})
    with pytest.raises(
        ConfigError, match=r"^PROMPTSALES_DSN__PROMPTCRM_AUDIT is not set, but PROMPTSALES_DSN__PROMPTCRM_CDC is;"
    ):
        own.address("promptcrm_audit")
    assert own.address("promptcrm_cdc") == "postgresql://cdc:x@elsewhere/promptcrm"


def test_further_workers_of_the_stream_take_the_port_of_no_service(settings: Settings) -> None:
    others = {settings.port(name) for name in get_args(Port) if name != "stream"}
    assert max(others) < settings.port("stream")
