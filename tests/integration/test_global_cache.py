"""The global cache as a library, on the real server: sessions and responses. The stream's tests cover the counters."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
import redis

from promptsales.cache.responses import Responses, cache_of, forget
from promptsales.cache.sessions import Sessions
from promptsales.cache.unexpected_keys import find_unexpected_keys
from promptsales.settings import Settings

TABLES = ("core.leads", "marts.lead_attribution")


@pytest.fixture
def cache(stack: Settings) -> Iterator["redis.Redis"]:
    """Yield the empty cache; check that a test leaves only known keys there, and that all of them expire."""
    with cache_of(stack) as client:
        client.flushdb()
        yield client
        assert find_unexpected_keys(client) == []


class Maker:
    """Makes responses and counts them."""

    def __init__(self, seconds: float = 0) -> None:
        self.made, self._seconds = 0, seconds

    def __call__(self) -> dict[str, Any]:
        """Return a response with the next number."""
        self.made += 1
        time.sleep(self._seconds)
        return {"number": self.made}


def test_a_session_lives_as_long_as_it_is_used(cache: "redis.Redis") -> None:
    sessions = Sessions(cache, seconds=1)
    used, unused = (sessions.begin({"user_id": name}) for name in ("a", "b"))
    for _ in range(3):
        time.sleep(0.5)
        assert sessions.read(used) == {"user_id": "a"}
    assert sessions.read(unused) is None
    assert sessions.write(used, {"page": "1", "user_id": "c"})
    assert sessions.read(used) == {"user_id": "c", "page": "1"}
    sessions.end(used)
    assert not sessions.write(used, {"page": "2"})
    assert sessions.read(used) is None


def test_an_answer_is_made_once_until_a_table_of_its_is_published(cache: "redis.Redis") -> None:
    responses, maker = Responses(cache), Maker()
    ask = [lambda n=n: responses.read("leads", {"page": n}, TABLES, maker)["number"] for n in range(2)]
    assert [ask[0](), ask[1](), ask[0](), ask[1]()] == [1, 2, 1, 2]
    forget(cache, ["core.accounts"])
    assert ask[0]() == 1
    forget(cache, ["marts.lead_attribution"])
    assert [ask[0](), ask[0](), ask[1]()] == [3, 3, 4]


def test_an_answer_may_be_kept_for_less(cache: "redis.Redis") -> None:
    responses, maker = Responses(cache), Maker()
    assert responses.read("live", {}, TABLES, maker, seconds=1) == {"number": 1}
    time.sleep(1.1)
    assert responses.read("live", {}, TABLES, maker, seconds=1) == {"number": 2}


def test_many_ask_at_once_and_it_is_made_once(cache: "redis.Redis") -> None:
    responses, maker = Responses(cache), Maker(0.3)
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: responses.read("leads", {}, TABLES, maker), range(64)))
    assert (answers, maker.made) == ([{"number": 1}] * 64, 1)


def test_what_is_made_while_its_table_is_published_is_not_kept(cache: "redis.Redis") -> None:
    responses, maker, begun, published = Responses(cache), Maker(), Event(), Event()

    def make() -> dict[str, Any]:
        begun.set()
        assert published.wait(5)
        return maker()

    with ThreadPoolExecutor(1) as pool:
        early = pool.submit(responses.read, "leads", {}, TABLES, make)
        assert begun.wait(5)
        forget(cache, TABLES)
        published.set()
        assert early.result() == {"number": 1}
    assert responses.read("leads", {}, TABLES, maker) == {"number": 2}


def test_an_error_is_not_kept_and_holds_nobody_up(cache: "redis.Redis") -> None:
    responses, maker = Responses(cache), Maker()

    def fail() -> None:
        raise ArithmeticError

    with pytest.raises(ArithmeticError):
        responses.read("leads", {}, TABLES, fail)
    began = time.monotonic()
    assert responses.read("leads", {}, TABLES, maker) == {"number": 1}
    assert time.monotonic() - began < 2


def test_without_the_cache_every_answer_is_made(stack: Settings) -> None:
    maker, nowhere = Maker(), stack.model_copy(update={"dsn": {"redis": "redis://127.0.0.1:1/0"}})
    with cache_of(nowhere) as client:
        assert Responses(client).read("leads", {}, TABLES, maker) == {"number": 1}
        forget(client, TABLES)
