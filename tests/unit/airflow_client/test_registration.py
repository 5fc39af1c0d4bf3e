"""Connection strings in the form in which Airflow stores them."""

import json

from promptsales.airflow_client.registration import (
    kafka_connection,
    mongo_connection,
    postgres_connection,
    redis_connection,
)


def test_postgres() -> None:
    address = "postgresql://etl_reader:p%40ss@127.0.0.1:21000/promptcrm?options=-csearch_path%3Dcrm"
    connection = postgres_connection("promptcrm", address, "CRM")
    assert connection.model_dump(by_alias=True) == {
        "connection_id": "promptcrm",
        "conn_type": "postgres",
        "description": "CRM",
        "host": "127.0.0.1",
        "port": 21000,
        "login": "etl_reader",
        "password": "p@ss",
        "schema": "promptcrm",
        "extra": '{"connect_timeout": "10", "options": "-csearch_path=crm"}',
    }


def test_postgres_in_words() -> None:
    connection = postgres_connection("warehouse", "host=db.example dbname=wh user=u connect_timeout=3", "")
    assert (connection.host, connection.port, connection.schema_, connection.login, connection.password) == (
        "db.example",
        5432,
        "wh",
        "u",
        None,
    )
    assert connection.extra == '{"connect_timeout": "3"}'


def test_mongo() -> None:
    address = "mongodb://u:p%2Fw@127.0.0.1:21002/promptcontent?directConnection=true&authSource=admin"
    connection = mongo_connection("promptcontent", address, "")
    assert (connection.host, connection.login, connection.password, connection.schema_) == (
        "127.0.0.1:21002",
        "u",
        "p/w",
        "promptcontent",
    )
    assert json.loads(connection.extra or "") == {"directConnection": True, "authSource": "admin"}


def test_mongo_replica_set() -> None:
    connection = mongo_connection("promptcontent", "mongodb://a:1,b:2/?replicaSet=rs0", "")
    assert (connection.host, connection.schema_, connection.extra) == ("a:1,b:2", None, '{"replicaSet": "rs0"}')


def test_mongo_srv() -> None:
    connection = mongo_connection("promptcontent", "mongodb+srv://cluster.example/content", "")
    assert (connection.host, json.loads(connection.extra or "")) == ("cluster.example", {"srv": True})


def test_kafka() -> None:
    connection = kafka_connection("kafka", "a:9092,b:9092", "")
    assert (connection.host, connection.login, connection.extra) == (
        "a:9092,b:9092", None, '{"bootstrap.servers": "a:9092,b:9092"}'
    )  # fmt: skip


def test_kafka_with_a_login() -> None:
    address = "kafka://u:p%40ss@a:9092,b:9092?security.protocol=SASL_SSL"
    connection = kafka_connection("kafka", address, "")
    assert (connection.host, connection.login, connection.password) == ("a:9092,b:9092", "u", "p@ss")
    assert json.loads(connection.extra or "") == {
        "bootstrap.servers": "a:9092,b:9092", "security.protocol": "SASL_SSL", "sasl.mechanism": "SCRAM-SHA-512",
    }  # fmt: skip


def test_redis() -> None:
    connection = redis_connection("redis", "rediss://u:p%2Fw@cache.example:7000/2", "")
    assert (
        connection.host,
        connection.port,
        connection.login,
        connection.password,
        connection.schema_,
        connection.extra,
    ) == (
        *("cache.example", 7000, "u", "p/w", "2"),
        '{"ssl": true}',
    )
    bare = redis_connection("redis", "redis://:pw@127.0.0.1/0", "")
    assert (bare.port, bare.login, bare.schema_, bare.extra) == (6379, None, "0", '{"ssl": false}')


def test_password_is_not_shown() -> None:
    assert "hunter2" not in repr(postgres_connection("x", "postgresql://u:hunter2@h/d", ""))
