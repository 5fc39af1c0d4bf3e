"""Quarantine: the rows by rule and table, one row beside its rules, and its release by an editor."""

from collections.abc import Iterable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, HTTPException, Query, Request
from fastapi.responses import HTMLResponse

from promptsales.errors import ConfigError, PipelineError
from promptsales.feeds import manual_release
from promptsales.feeds.manual_action import Decision, check_reason
from promptsales.settings import settings
from promptsales.specs.stream import StreamContract
from promptsales.webui import catalogue
from promptsales.webui.access import Viewer, may_edit, require_editor, same_site
from promptsales.webui.connections import address_of, warehouse
from promptsales.webui.paging import Page, paged
from promptsales.webui.reading import cached, forget_pages, query
from promptsales.webui.rendering import render

router = APIRouter()

# rows that one request may release
MOST = 200


@router.get("/quarantine")
def show_quarantine(
    request: Request, user: Viewer, feed: str = "", rule: str = "", page: Annotated[int, Query(ge=1, le=100_000)] = 1
) -> HTMLResponse:
    """Show the open rows of quarantine, page by page."""
    asked = Page(page)
    rows = query("quarantine", feed=feed or None, rule=rule or None, limit=asked.size, skip=asked.skip)
    total = rows[0]["total"] if rows else 0
    chosen = {"feed": feed, "rule": rule}
    editable = {name for name in {row["feed"] for row in rows} if may_edit(user, dag_of(name))}
    return render(
        request, "quarantine.html", user, counts=count(), rows=[describe(row) for row in rows], chosen=chosen,
        paging=paged(asked, total, len(rows), chosen), editable=editable, most=MOST,
        actions=query("actions", feed=feed or None, actions=["release"], limit=10),
    )  # fmt: skip


@router.get("/quarantine/{quarantine_id}")
def show_row(request: Request, user: Viewer, quarantine_id: int) -> HTMLResponse:
    """Show one row with its payload, each broken rule beside the value that broke it."""
    rows = query("row", id=quarantine_id)
    if not rows:
        raise HTTPException(404, f"quarantine has no row {quarantine_id}; an erased person's rows are deleted")
    row = describe(rows[0])
    is_editable = row["released_at"] is None and may_edit(user, dag_of(row["feed"]))
    offending = {column for rule in row["broken"] for column in rule["columns"]}
    return render(request, "row.html", user, row=row, is_editable=is_editable, offending=offending)


@router.post("/quarantine/release", dependencies=[Depends(same_site)])
def release_rows(
    request: Request,
    user: Viewer,
    row: Annotated[list[int], Form(max_length=MOST)],
    reason: Annotated[str, Form()],
) -> HTMLResponse:
    """Release rows with a reason; each in a transaction of its own, so that one that cannot go stops no other."""
    decision = Decision(f"airflow:{user.get_name()}", check_reason(reason))
    with warehouse("warehouse") as loader:
        feeds = {number: _feed_of(loader, number) for number in row}
        for feed in {feed for feed in feeds.values() if feed}:
            require_editor(user, dag_of(feed))
        outcomes = [(number, *_release(loader, number, feed, decision)) for number, feed in feeds.items()]
    forget_pages(catalogue.find_table(feed).title for feed in set(feeds.values()) if feed in catalogue.tables())
    known = catalogue.tables()
    released = {feed for feed in feeds.values() if feed in known and known[feed].kind == "hourly"}
    return render(
        request, "outcomes.html", user, title="Release", outcomes=_link(outcomes), back="quarantine",
        dags=sorted({dag_of(feed) for feed in released}),
    )  # fmt: skip


def _link(outcomes: Iterable[tuple[int, bool, str]]) -> list[tuple[str, str, bool, str]]:
    return [(f"row {number}", f"quarantine/{number}", is_done, text) for number, is_done, text in outcomes]


def _feed_of(loader: Any, quarantine_id: int) -> str:
    try:
        return manual_release.read_feed(loader, quarantine_id)
    except ConfigError:
        return ""


def _release(loader: Any, quarantine_id: int, feed: str, decision: Decision) -> tuple[bool, str]:
    """Release one row; return whether it was released, and what happens next or why not."""
    if not feed:
        return False, "it is not open any more: somebody released it, or a load published or deleted it"
    spec = catalogue.find_table(feed).spec if feed in catalogue.tables() else None
    try:
        if isinstance(spec, StreamContract):
            from promptsales.stream.waive import waive

            waive(settings(), spec, quarantine_id, decision, address_of("warehouse"))
            return True, f"now in {spec.layer}.{feed}; a newer version from the source replaces it"
        manual_release.release(loader, quarantine_id, decision)
    except PipelineError as error:
        return False, str(error)
    return True, f"the next load of {feed} publishes it"


def dag_of(feed: str) -> str:
    """Return the DAG that fills a table; the right to edit it is the right to release its rows."""
    known = catalogue.tables().get(feed)
    return known.dag_id if known else catalogue.STREAM_DAG


def count() -> list[dict[str, Any]]:
    """Return how many rows of each table break each rule, the most first."""
    counts: list[dict[str, Any]] = cached(
        "quarantine_counts", {},
        lambda connection: [
            {**each._asdict(), "age": each.age.total_seconds()} for each in manual_release.count_by_rule(connection)
        ],
    )  # fmt: skip
    known = catalogue.tables()
    return [
        {**each, "text": _text(known[each["feed"]].rules, each["rule"]) if each["feed"] in known else ""}
        for each in sorted(counts, key=lambda each: -each["rows"])
    ]


def describe(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row with each rule it broke: its text, and the columns that the rule judges with their values."""
    known = catalogue.tables().get(row["feed"])
    rules = known.rules if known else {}
    broken = []
    for name in row["rules"]:
        columns = [column for column in _columns(rules, name) if column in row["payload"]]
        values = [(column, row["payload"][column]) for column in columns]
        broken.append({"rule": name, "text": _text(rules, name), "columns": columns, "values": values})
    return {**row, "broken": broken, "title": known.title if known else row["feed"]}


def _columns(rules: Any, name: str) -> list[str]:
    # a rule on a type is named "type_mismatch: column"
    named = name.partition(": ")[2]
    return [named] if named else catalogue.offending_columns(rules.get(name))


def _text(rules: Any, name: str) -> str:
    return rules[name].description if name in rules else ""
