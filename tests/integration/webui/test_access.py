"""Every route of the page asks for Airflow's permissions; what changes something needs an editor and our own token."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from fastapi.routing import APIRoute

from promptsales.webui.app import HEADERS, create_app
from promptsales.webui.catalogue import tables
from tests.integration.webui.conftest import Browser

# an address of each route, by its path
EXAMPLES = {
    "/": "/",
    "/dags/{dag_id}": "/dags/promptcrm_hourly",
    "/dags/{dag_id}/runs/{run_id}": "/dags/promptcrm_hourly/runs/manual__1",
    "/dags/{dag_id}/tasks/{task_id}": "/dags/promptcrm_hourly/tasks/leads.publish",
    "/tables/{name}": "/tables/core.leads",
    "/quarantine": "/quarantine",
    "/quarantine/{quarantine_id}": "/quarantine/1",
    "/quarantine/release": "/quarantine/release",
    "/loads": "/loads",
    "/stream": "/stream",
    "/stream/live.json": "/stream/live.json",
    "/dead-letters": "/dead-letters",
    "/static/{name}": "/static/warehouse.css",
}
RELEASE = {"row": "1", "reason": "known at the source"}
DROP = {"action": "drop", "message": "topic/0/1", "reason": "known at the source"}


def routes() -> Iterator[tuple[str, str]]:
    """Yield every route of the app: method and path."""
    for route in create_app().routes:
        assert isinstance(route, APIRoute), f"{route} is not a route whose access we check"
        yield from ((method, route.path) for method in route.methods)


def test_every_route_is_asked_without_a_login(anonymous: Browser) -> None:
    found = {(method, path) for method, path in routes()}
    assert {path for _, path in found} == EXAMPLES.keys()
    answers = {(method, path): anonymous.request(method, EXAMPLES[path]).status_code for method, path in found}
    assert answers == dict.fromkeys(found, 401)


def test_an_unknown_path_and_a_forged_cookie_show_nothing(airflow: str, anonymous: Browser) -> None:
    assert anonymous.get("/docs").status_code == anonymous.get("/openapi.json").status_code == 404
    with closing(Browser(airflow, None, "")) as forged:
        forged.forge("eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.")
        assert forged.get("/").status_code == 403


def test_a_viewer_sees_everything_and_every_answer_has_our_headers(
    books: psycopg.Connection, viewer: Browser, editor: Browser
) -> None:
    for user in (viewer, editor):
        for path in EXAMPLES.values():
            if path in ("/quarantine/release", "/quarantine/1"):
                continue
            answer = user.get(path)
            assert (path, answer.status_code) == (path, 200)
            assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    for table in tables().values():
        assert viewer.get(f"/tables/{table.title}").status_code == 200


@pytest.mark.parametrize(("path", "form"), [("/quarantine/release", RELEASE), ("/dead-letters", DROP)])
def test_what_changes_something_comes_from_a_page_of_ours(
    books: psycopg.Connection, editor: Browser, viewer: Browser, path: str, form: dict[str, str]
) -> None:
    foreign = {"origin": "https://evil.example"}
    assert editor.request("POST", path, data=form).status_code == 403
    assert editor.request("POST", path, data={**form, "token": "0" * 64}).status_code == 403
    assert editor.request("POST", path, data={**form, "token": viewer.token()}).status_code == 403
    assert editor.request("POST", path, data={**form, "token": editor.token()}, headers=foreign).status_code == 403
    cross = {"sec-fetch-site": "cross-site"}
    assert editor.request("POST", path, data={**form, "token": editor.token()}, headers=cross).status_code == 403
    assert editor.request("GET", "/quarantine/release").status_code in (404, 405, 422)
    assert editor.post(path, form).status_code == 200


def test_the_api_server_holds_no_secret_of_the_state_folder(stack: object) -> None:
    """The page reads its connections from Airflow, so the code must not open the folder of secrets."""
    folder = Path(__file__).parents[3] / "promptsales" / "webui"
    for path in folder.glob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert [word for word in (".secrets", "settings().address", "os.environ") if word in text] == [], path
