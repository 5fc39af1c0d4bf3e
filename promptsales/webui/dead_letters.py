"""Dead letters: list them by topic; an editor replays or drops them with a reason."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import HTMLResponse

from promptsales.errors import PipelineError
from promptsales.feeds.manual_action import Decision, check_reason
from promptsales.settings import settings
from promptsales.specs.stream import stream_contracts
from promptsales.stream.dead_letter_desk import MessagePosition
from promptsales.webui import catalogue
from promptsales.webui.access import Viewer, may_edit, require_editor, same_site
from promptsales.webui.connections import address_of, warehouse
from promptsales.webui.paging import Page, paged
from promptsales.webui.reading import forget_pages, query
from promptsales.webui.rendering import render

router = APIRouter()

# letters that one request may replay or drop
MOST = 50


@router.get("/dead-letters")
def show_letters(
    request: Request, user: Viewer, topic: str = "", page: Annotated[int, Query(ge=1, le=100_000)] = 1
) -> HTMLResponse:
    """Show the dead letters, oldest first."""
    asked = Page(page)
    letters = query("letters", topic=topic or None, limit=asked.size, skip=asked.skip)
    paging = paged(asked, letters[0]["total"] if letters else 0, len(letters), {"topic": topic})
    return render(
        request, "dead_letters.html", user, letters=letters, paging=paging, topic=topic,
        topics=sorted(contract.topic for contract in stream_contracts().values()),
        is_editor=may_edit(user, catalogue.STREAM_DAG),
        actions=query("actions", feed=topic or None, actions=["replay", "drop"], limit=10),
    )  # fmt: skip


@router.post("/dead-letters", dependencies=[Depends(same_site)])
def handle_letters(
    request: Request,
    user: Viewer,
    action: Annotated[Literal["replay", "drop"], Form()],
    message: Annotated[list[str], Form(max_length=MOST)],
    reason: Annotated[str, Form()],
) -> HTMLResponse:
    """Replay or drop dead letters with a reason; each in a transaction of its own."""
    require_editor(user, catalogue.STREAM_DAG)
    decision = Decision(f"airflow:{user.get_name()}", check_reason(reason))
    outcomes = [(text, "dead-letters", *_handle(action, text, decision)) for text in message]
    forget_pages(f"{contract.layer}.{contract.table}" for contract in stream_contracts().values())
    title = "Replay" if action == "replay" else "Drop"
    return render(request, "outcomes.html", user, title=title, outcomes=outcomes, back="dead-letters", dags=[])


def _handle(action: str, text: str, decision: Decision) -> tuple[bool, str]:
    from promptsales.stream.apply_letter import apply_letter
    from promptsales.stream.dead_letter_desk import drop

    try:
        position = MessagePosition.parse(text)
        if action == "replay":
            apply_letter(settings(), position, decision, address_of("warehouse"))
            return True, "applied to its table; a newer version of the row stays"
        with warehouse("warehouse") as loader:
            drop(loader, position, decision)
    except PipelineError as error:
        return False, str(error)
    return True, "dropped; its dead-letter topic keeps the message until its retention ends"
