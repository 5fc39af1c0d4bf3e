"""Generate the files by which a dbt project reads the marts: sources with every column, and the report as exposures."""

import re
from typing import Any

import yaml

from promptsales.report.dashboards import DASHBOARDS, Dashboard
from promptsales.report.page import HERE
from promptsales.settings import ROOT
from promptsales.specs.mart import Mart, catalogue

FOLDER = ROOT / "docs" / "reference" / "dbt"
SOURCE = "promptsales"
_HEAD = "# Written by `promptsales docs` from warehouse/marts/*/mart.yml; copy it into models/ of a dbt project.\n"


def files() -> dict[str, str]:
    """Return the text of each file by its name."""
    return {"sources.yml": _text(_sources()), "exposures.yml": _text(_exposures())}


def _text(content: dict[str, Any]) -> str:
    return _HEAD + yaml.safe_dump({"version": 2, **content}, sort_keys=False, allow_unicode=True, width=120)


def _sources() -> dict[str, Any]:
    source = {
        "name": SOURCE,
        "description": "Marts of the PromptSales warehouse, read as a member of bi_reader.",
        "database": "warehouse",
        "schema": "marts",
        "tables": [_table(mart) for mart in catalogue().values()],
    }
    return {"sources": [source]}


def _table(mart: Mart) -> dict[str, Any]:
    columns = [
        {
            "name": column.name,
            "description": column.comment,
            "data_type": column.type,
            **({"data_tests": ["not_null"]} if column.required or column.name in mart.grain else {}),
        }
        for column in mart.columns
    ]
    return {"name": mart.mart, "description": mart.description, "columns": columns}


def _exposures() -> dict[str, Any]:
    return {"exposures": [_exposure(dashboard) for dashboard in DASHBOARDS]}


def _exposure(dashboard: Dashboard) -> dict[str, Any]:
    queries = [(HERE / "sql" / f"{panel.query}.sql").read_text(encoding="utf-8") for panel in dashboard.panels]
    read = sorted({mart for query in queries for mart in re.findall(r"\bmarts\.(\w+)", query)})
    return {
        "name": f"promptsales_{dashboard.title.lower().replace(' ', '_')}",
        "label": dashboard.title,
        "type": "dashboard",
        "maturity": "high",
        "description": dashboard.answers,
        "owner": {"name": "PromptSales"},
        "depends_on": [f"source('{SOURCE}', '{mart}')" for mart in read],
    }
