"""What Airflow's home page says; Airflow imports it at the start of every process, so it imports nothing itself."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow.api_fastapi.common.types import UIAlert

TRIGGERER = (
    "**Triggerer** is red on purpose: it is not started, because no task of these DAGs is deferrable and it would take "
    "250 MB of memory. Nothing is wrong while the other three are green."
)


class HomePage:
    """The notices on the home page, made when a page asks for them: only the API server has their class loaded."""

    def __iter__(self) -> "Iterator[UIAlert]":
        """Yield each notice."""
        from airflow.api_fastapi.common.types import UIAlert

        yield UIAlert(text=TRIGGERER, category="info")


DASHBOARD_UIALERTS = HomePage()
# Airflow takes over these names
__all__ = ["DASHBOARD_UIALERTS"]
