"""Live counters on the real Redis: the newest figure wins, and figures that Redis loses are published again."""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from uuid import UUID

import psycopg
import pytest
import redis

from promptsales.cache import counters
from promptsales.cache.counters import NOTHING, Counter, publish, publish_again
from promptsales.settings import Settings
from tests.support.systems import redis_apart

MINUTE = datetime.now(UTC).replace(second=0, microsecond=0)
_FIGURES = """
    insert into realtime.campaign_minute (campaign_id, minute, impressions, clicks, spend, conversions, version)
    select ('00000000-0000-0000-0000-' || lpad(n::text, 12, '0'))::uuid, %s, n, 0, 0, 0, 1
    from generate_series(1, 1200) n
"""


@pytest.fixture
def cache(stack: Settings) -> Iterator["redis.Redis"]:
    """Return a Redis database that the stack's worker does not use."""
    with redis_apart(stack, 14) as client:
        yield client


@pytest.fixture
def figures(admin: psycopg.Connection) -> psycopg.Connection:
    """Fill the warehouse with 1,200 figures, which are published in three parts."""
    admin.execute(_FIGURES, [MINUTE])
    admin.execute("update realtime.campaign_minute set updated_at = clock_timestamp() - interval '1 hour'")
    return admin


def held(client: "redis.Redis") -> int:
    return sum(1 for _ in client.scan_iter("counter:campaign:*"))


def figure(version: int) -> Counter:
    return Counter("minute", UUID(int=1), MINUTE, version * 10, 0, "0.5000", 0, version)


@pytest.mark.parametrize("versions", [(1, 2), (2, 1), (9, 10), (10, 9)])
def test_an_older_version_changes_nothing(cache: "redis.Redis", versions: tuple[int, int]) -> None:
    for version in versions:
        publish(cache, [figure(version)])
    assert cache.hmget(figure(1).key, "version", "impressions", "spend") == [
        str(max(versions)).encode(), str(max(versions) * 10).encode(), b"0.5000",
    ]  # fmt: skip
    assert 0 < int(str(cache.ttl(figure(1).key))) <= 172_800


def test_what_redis_loses_comes_back(cache: "redis.Redis", figures: psycopg.Connection) -> None:
    published = publish_again(cache, figures, NOTHING)
    assert held(cache) == 1200
    published = publish_again(cache, figures, published)
    cache.flushdb()
    publish_again(cache, figures, published)
    assert held(cache) == 1200


def test_where_another_worker_came_first_it_comes_back_too(cache: "redis.Redis", figures: psycopg.Connection) -> None:
    mine, another = publish_again(cache, figures, NOTHING), publish_again(cache, figures, NOTHING)
    cache.flushdb()
    publish_again(cache, figures, another)
    keys = [key for key in cache.scan_iter("counter:campaign:*")]
    cache.delete(*keys)  # as if the worker had failed halfway
    publish_again(cache, figures, mine)
    assert held(cache) == 1200


def test_what_redis_loses_while_all_is_published_comes_back(
    cache: "redis.Redis", figures: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def publish_half(client: "redis.Redis", found: Iterable[Counter], real: Callable[..., None] = publish) -> None:
        listed = list(found)
        real(client, listed[:600])
        client.flushdb()
        real(client, listed[600:])

    with monkeypatch.context() as patch:
        patch.setattr(counters, "publish", publish_half)
        published = publish_again(cache, figures, NOTHING)
    assert held(cache) == 600
    publish_again(cache, figures, published)
    assert held(cache) == 1200


def test_one_that_is_lost_while_the_marker_lives_comes_back(cache: "redis.Redis", figures: psycopg.Connection) -> None:
    figures.execute(
        "insert into realtime.campaign_day (campaign_id, date_day, impressions, clicks, spend, conversions, version,"
        " updated_at) values (%s, %s, 7, 0, 0, 0, 1, clock_timestamp() - interval '1 hour')",
        [UUID(int=1), MINUTE.date()],
    )
    published = publish_again(cache, figures, NOTHING)
    whole = {key: cache.hgetall(key) for key in cache.scan_iter("counter:campaign:*")}
    assert len(whole) == 1201
    deleted, partial, worthless, retyped, day = (
        figure(1)._replace(campaign_id=UUID(int=1)).key,
        *(figure(1)._replace(campaign_id=UUID(f"{n:032d}")).key for n in (2, 700, 1200)),
        Counter("day", UUID(int=1), MINUTE.replace(hour=0, minute=0), 7, 0, 0, 0, 1).key,
    )
    cache.delete(deleted, day)
    cache.hdel(partial, "spend")
    cache.hset(worthless, "version", "none")
    cache.set(retyped, "text")
    publish_again(cache, figures, published)
    assert {key: cache.hgetall(key) for key in cache.scan_iter("counter:campaign:*")} == whole


def test_a_round_checks_so_many_at_once_and_all_in_the_end(
    cache: "redis.Redis", figures: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counters, "CHECKED", 500)
    published = publish_again(cache, figures, NOTHING)
    cache.delete(*cache.scan_iter("counter:campaign:*"))
    counts = []
    for _ in range(3):
        published = publish_again(cache, figures, published)
        counts.append(held(cache))
    assert counts == [500, 1000, 1200]
