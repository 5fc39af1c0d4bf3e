"""Who may see and change what: Airflow's own permissions, and tokens against requests from other sites.

An app that a plugin mounts inherits no check from Airflow, so every route depends on `viewer`.
"""

import hashlib
import hmac
from datetime import UTC, date, datetime, timedelta
from typing import Annotated
from urllib.parse import urlsplit

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.api_fastapi.auth.managers.models.resource_details import AccessView, DagDetails
from airflow.api_fastapi.core_api.security import get_user
from airflow.configuration import conf
from fastapi import Depends, Form, HTTPException, Request

# a page that has been open for longer asks for a reload
_DAYS = 2


def viewer(user: Annotated[BaseUser, Depends(get_user)]) -> BaseUser:
    """Return the user, who may see Airflow's UI and its assets.

    Raises:
        HTTPException: 401 without a valid login, 403 without these rights.
    """
    manager = get_auth_manager()
    may_see = manager.is_authorized_view(access_view=AccessView.WEBSITE, user=user)
    if not (may_see and manager.is_authorized_asset(method="GET", user=user)):
        raise HTTPException(403, f"{user.get_name()} may not see assets in Airflow; ask whoever gives out its roles")
    return user


Viewer = Annotated[BaseUser, Depends(viewer)]


def may_edit(user: BaseUser, dag_id: str) -> bool:
    """Return whether a user may edit a DAG in Airflow, and so the rows that it loads."""
    return bool(get_auth_manager().is_authorized_dag(method="PUT", details=DagDetails(id=dag_id), user=user))


def require_editor(user: BaseUser, dag_id: str) -> None:
    """Check that a user may edit a DAG.

    Raises:
        HTTPException: 403 when not.
    """
    if not may_edit(user, dag_id):
        raise HTTPException(403, f"{user.get_name()} may look and not change: this needs the right to edit {dag_id}")


def create_token(user: BaseUser, today: date) -> str:
    """Return the token that the forms of a user's pages carry; another site cannot know it."""
    text = f"warehouse page\0{user.get_id()}\0{today.isoformat()}"
    return hmac.new(conf.get_mandatory_value("api", "secret_key").encode(), text.encode(), hashlib.sha256).hexdigest()


def same_site(request: Request, user: Viewer, token: Annotated[str, Form()] = "") -> None:
    """Check that a request that changes something comes from one of our own pages.

    Raises:
        HTTPException: 403 when it comes from another site, or carries no valid token.
    """
    origin = request.headers.get("origin")
    site = request.headers.get("sec-fetch-site", "same-origin")
    is_ours = site in ("same-origin", "none") and (origin is None or urlsplit(origin).netloc == request.url.netloc)
    today = datetime.now(UTC).date()
    valid = [create_token(user, today - timedelta(days=days)) for days in range(_DAYS)]
    if not is_ours or not any(hmac.compare_digest(token.encode(), each.encode()) for each in valid):
        raise HTTPException(403, "the request does not come from an open Warehouse page; reload the page and try again")
