"""The whole provision, and the systems other than PostgreSQL."""

import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis
from psycopg import sql
from pymongo import MongoClient
from pymongo.database import Database
from pymongo.errors import WriteError

from promptsales.bus import topics
from promptsales.cache import unexpected_keys
from promptsales.errors import ConfigError, TransientError
from promptsales.provision import provision
from promptsales.provision.collections import provision_collections
from promptsales.settings import Settings
from promptsales.specs.collection import Collection, Index, read_collections
from promptsales.specs.topic import Topic, Topics
from tests.support.systems import redis_apart

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ASSET = {"type": "image", "status": "draft", "created_at": NOW, "updated_at": NOW}


def done(stack: Settings, dry_run: bool = False) -> list[str]:
    return [change.what for change in provision(stack, dry_run=dry_run) if not change.is_warning]


def test_again_changes_nothing_and_is_quick(stack: Settings) -> None:
    done(stack)
    start = time.monotonic()
    assert done(stack) == []
    assert time.monotonic() - start < 5


def test_drift_of_roles_is_shown_then_repaired(stack: Settings) -> None:
    with psycopg.connect(stack.address("sources_admin"), autocommit=True) as admin:
        admin.execute("alter role etl_reader reset default_transaction_read_only")
        admin.execute(sql.SQL("alter role cdc password {}").format("another"))
        admin.execute("grant connect on database promptcrm to public")
    setting = "role etl_reader: default_transaction_read_only = on"
    closed = "database promptcrm: closed to everybody else"
    assert done(stack, dry_run=True) == [setting, closed, "password of cdc set"]
    assert done(stack) == [setting, closed, "password of cdc set"]
    assert done(stack) == []


def test_passwords_work_and_are_kept_as_verifiers(stack: Settings) -> None:
    for name in ("promptsales", "promptads", "promptcrm", "promptsales_etl", "promptcrm_etl", "warehouse", "bi"):
        psycopg.connect(stack.address(name)).close()
    for name in ("sources_admin", "warehouse_admin"):
        with psycopg.connect(stack.address(name)) as admin:  # type: ignore[arg-type]
            kept = admin.execute("select rolpassword from pg_authid where rolcanlogin").fetchall()
        assert all(password.startswith("SCRAM-SHA-256$") for (password,) in kept)


def test_lost_key_is_not_replaced(stack: Settings, tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir(mode=0o700)
    for path in (stack.state / "secrets").iterdir():
        if path.is_file() and not path.name.startswith("pii_key_"):
            (tmp_path / "secrets" / path.name).write_text(path.read_text())
            (tmp_path / "secrets" / path.name).chmod(0o600)
    elsewhere = stack.model_copy(update={"state": tmp_path})
    with pytest.raises(ConfigError, match=r"hashes with a key, but .* has no pii_key_1; put the file back"):
        provision(elsewhere)
    assert not (tmp_path / "secrets" / "pii_key_1").exists()


def test_weak_key_is_refused_before_anything_is_touched(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir(mode=0o700)
    (tmp_path / "secrets" / "pii_key_1").write_text("00" * 32)
    (tmp_path / "secrets" / "pii_key_1").chmod(0o600)
    nowhere = Settings(state=tmp_path, port_base=1024)
    with pytest.raises(ConfigError, match="repeats one byte"):
        provision(nowhere)


@pytest.fixture
def mongo(stack: Settings) -> Iterator[Database[dict[str, Any]]]:
    with MongoClient[dict[str, Any]](stack.address("promptcontent_admin")) as client:
        name = f"scratch_{uuid.uuid4().hex}"
        yield client[name]
        client.drop_database(name)


def test_collections_are_made_once(mongo: Database[dict[str, Any]]) -> None:
    assert len(provision_collections(mongo, dry_run=True)) == 4
    assert mongo.list_collection_names() == []
    assert len(provision_collections(mongo)) == 4
    assert provision_collections(mongo) == []
    assert mongo.content_assets.index_information()["cursor"]["key"] == [("updated_at", 1), ("_id", 1)]
    assert mongo.prompt_history.index_information()["cursor"]["key"] == [("timestamp", 1), ("_id", 1)]


@pytest.mark.parametrize(
    "change",
    [{}, {"created_at": "2026-01-01T00:00:00Z"}, {"url": None, "metadata": {"size_bytes": 0}}, {"extra": {"a": 1}}],
)
def test_assets_of_real_life_get_in(mongo: Database[dict[str, Any]], change: dict[str, Any]) -> None:
    provision_collections(mongo)
    assert mongo.content_assets.insert_one({**ASSET, **change}).acknowledged


@pytest.mark.parametrize(
    "asset",
    [
        {**ASSET, "type": "audio"},
        {**ASSET, "status": "rejected"},
        {**ASSET, "created_at": 20260101},
        {**ASSET, "tags": [1]},
        {key: value for key, value in ASSET.items() if key != "updated_at"},
    ],
)
def test_assets_that_cannot_be(mongo: Database[dict[str, Any]], asset: dict[str, Any]) -> None:
    provision_collections(mongo)
    with pytest.raises(WriteError, match="failed validation"):
        mongo.content_assets.insert_one(asset)


def test_changed_validator_and_index(mongo: Database[dict[str, Any]]) -> None:
    asset = read_collections()[0]
    provision_collections(mongo, (asset,))
    looser = asset.model_copy(update={"validator": {"bsonType": "object"}})
    assert [change.what for change in provision_collections(mongo, (looser,))] == [
        "validator of content_assets changed"
    ]
    assert mongo.content_assets.insert_one({"type": "audio"}).acknowledged
    changed = Collection(
        collection="content_assets", validator={"bsonType": "object"}, indexes=(Index(name="cursor", keys={"_id": -1}),)
    )
    (change,) = provision_collections(mongo, (changed,))
    assert change.is_warning


def test_mongo_that_is_not_there() -> None:
    with (
        MongoClient[dict[str, Any]]("127.0.0.1", 1, serverSelectionTimeoutMS=200) as client,
        pytest.raises(TransientError),
    ):
        provision_collections(client["promptcontent"])


def test_topics_are_made_grown_and_configured(stack: Settings) -> None:
    client, name = topics.admin(stack.address("kafka")), f"scratch.{uuid.uuid4().hex}"

    def run(partitions: int, **config: str | int) -> list[tuple[str, str]]:
        goal = Topics(
            defaults={"cleanup.policy": "delete"},
            topics={name: Topic(partitions=partitions, config=config)},
            known=frozenset(),
        )
        changes = topics.plan(client, goal)
        topics.apply(client, changes)
        time.sleep(0.2)  # the broker says so itself
        return [(change.action, change.topic) for change in changes if change.action != "unmanaged"]

    try:
        assert run(1) == [("create", name)]
        assert run(1) == []
        assert run(2, **{"retention.ms": 1000}) == [("grow", name), ("configure", name)]
        assert run(2, **{"retention.ms": 1000}) == []
        assert run(1, **{"retention.ms": 1000}) == [("shrink", name)]
    finally:
        for future in client.delete_topics([name]).values():
            future.result()


def test_kafka_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topics, "_TIMEOUT_S", 0.5)
    with pytest.raises(TransientError, match="refuses the connection, as nothing listens"):
        topics.plan(topics.admin("127.0.0.1:1"))


def test_strangers_in_redis(stack: Settings) -> None:
    with redis_apart(stack, 15, decode_responses=True) as client:
        client.hset("session:abc", "user", "x")
        client.expire("session:abc", 60)
        client.set("api:leads:1", "{}", ex=60)
        assert unexpected_keys.find_unexpected_keys(client) == []
        client.persist("session:abc")
        client.set("session:def", "x", ex=60)
        client.set("jane@example.com", "x")
        client.set("john@example.com", "x")
        assert sorted(unexpected_keys.find_unexpected_keys(client)) == [
            "1 keys of sessions have type string instead of hash",
            "1 keys of sessions live longer than 86400 s",
            "2 keys belong to no key space of schemas/redis/key_spaces.yml",
        ]


def test_redis_that_is_not_there() -> None:
    with redis.Redis(host="127.0.0.1", port=1) as client, pytest.raises(TransientError):
        unexpected_keys.find_unexpected_keys(client)
