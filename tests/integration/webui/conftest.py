"""Airflow's own API server with the plugin, and a client per user of the simple auth manager."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import psycopg
import pytest
import redis

from promptsales.cache.responses import forget
from promptsales.settings import Settings
from promptsales.webui.reading import BOOKS
from tests.support.airflow_server import serving


class Browser:
    """A user's session, logged in as Airflow's UI is: by a cookie."""

    def __init__(self, address: str, user: str | None, password: str) -> None:
        self._client = httpx.Client(base_url=address, trust_env=False, timeout=60)
        self.user = user
        if user:
            answer = self._client.post("/auth/token", json={"username": user, "password": password})
            self._client.cookies.set("_token", answer.raise_for_status().json()["access_token"])

    def close(self) -> None:
        """End the session."""
        self._client.close()

    def forge(self, cookie: str) -> None:
        """Use a cookie that Airflow did not give."""
        self._client.cookies.set("_token", cookie)

    def get(self, path: str) -> httpx.Response:
        """Ask for a page of the app."""
        return self._client.get(f"/warehouse{path}")

    def request(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        """Send any request to the app."""
        return self._client.request(method, f"/warehouse{path}", **arguments)

    def token(self) -> str:
        """Return the token of the forms, which each page with a form has."""
        found = re.search(r'name="token" value="([0-9a-f]{64})"', self.get("/quarantine?feed=leads").text)
        assert found
        return found[1]

    def post(self, path: str, data: dict[str, Any], **headers: str) -> httpx.Response:
        """Send a form as a page of ours does."""
        return self._client.post(f"/warehouse{path}", data={"token": self.token(), **data}, headers=headers)


@pytest.fixture(scope="package")
def airflow(stack: Settings) -> Iterator[str]:
    with serving(stack) as address:
        yield address


@contextmanager
def _browser(airflow: str, stack: Settings, user: str | None) -> Iterator[Browser]:
    browser = Browser(airflow, user, stack.secrets.password(f"airflow_{user}") if user else "")
    yield browser
    browser.close()


@pytest.fixture(scope="package")
def anonymous(airflow: str, stack: Settings) -> Iterator[Browser]:
    with _browser(airflow, stack, None) as browser:
        yield browser


@pytest.fixture(scope="package")
def viewer(airflow: str, stack: Settings) -> Iterator[Browser]:
    with _browser(airflow, stack, "viewer") as browser:
        yield browser


@pytest.fixture(scope="package")
def editor(airflow: str, stack: Settings) -> Iterator[Browser]:
    with _browser(airflow, stack, "editor") as browser:
        yield browser


@pytest.fixture
def books(stack: Settings, warehouse: psycopg.Connection) -> Iterator[psycopg.Connection]:
    """Connect to the empty warehouse, which no cached page remembers otherwise."""
    with redis.Redis.from_url(stack.address("redis"), decode_responses=True) as client:
        forget(client, BOOKS)
        yield warehouse
        forget(client, BOOKS)
