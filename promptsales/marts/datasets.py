"""Generate Superset's datasets, ``bi/datasets/*.yaml``, from the files behind the warehouse's comments.

A metric is defined once: in ``mart.yml``. Most are a sum or a ratio of sums.
"""

from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import yaml

from promptsales.settings import ROOT
from promptsales.specs.mart import Mart, MartColumn, MartMetric, catalogue

FOLDER = ROOT / "bi" / "datasets" / "warehouse"

# the namespace of all identifiers in bi/, and the identifier of bi/databases/warehouse.yaml
NAMESPACE = UUID("5a3f1d52-9d2b-4b53-8a55-0f0c9b3f7a01")

_HEAD = "# `promptsales docs` generates this file from {source}: change that one.\n"
_COUNT, _SHARE, _PERCENT = ",d", ".2%", ",.1f"
_FORMATS = {"count": _COUNT, "share": _SHARE, "money": ",.2f"}
_RATIO_SCALE = 6  # decimals of the ratios in all marts; ratios with more are tiny


def datasets() -> dict[Path, str]:
    """Return the text of each dataset by its path."""
    return {FOLDER / f"{name}.yaml": _text(mart) for name, mart in catalogue().items()}


def _text(mart: Mart) -> str:
    head = _HEAD.format(source=f"warehouse/marts/{mart.mart}/mart.yml")
    return head + yaml.safe_dump(_dataset(mart), sort_keys=False, width=120, allow_unicode=True)


def _dataset(mart: Mart) -> dict[str, Any]:
    period = mart.period or next((c.name for c in mart.columns if c.type == "date"), None)
    return {
        "table_name": mart.mart,
        "schema": "marts",
        "main_dttm_col": period,
        "description": mart.description,
        "filter_select_enabled": True,
        "columns": [_column(column) for column in mart.columns],
        "metrics": [
            *(_metric(column) for column in mart.columns if column.metric),
            *map(_own_metric, mart.metrics),
            *([_newest(period)] if period else []),
        ],
        "uuid": str(uuid5(NAMESPACE, f"dataset {mart.mart}")),
        "database_uuid": str(NAMESPACE),
        "version": "1.0.0",
    }


def _column(column: MartColumn) -> dict[str, Any]:
    is_measure = column.additive is not None
    return {
        "column_name": column.name,
        "verbose_name": column.label,
        "description": column.comment,
        "type": column.type.upper(),
        "is_dttm": column.type.startswith(("date", "timestamp")),
        "groupby": not is_measure,
        "filterable": True,
        "is_active": True,
    }


def _metric(column: MartColumn) -> dict[str, Any]:
    return {
        "metric_name": column.name,
        "verbose_name": column.label,
        "expression": column.metric,
        "description": column.description,
        "d3format": _format(column),
    }


def _own_metric(metric: MartMetric) -> dict[str, Any]:
    return {
        "metric_name": metric.name,
        "verbose_name": metric.label,
        "expression": metric.sql,
        "description": metric.description,
        "d3format": _FORMATS[metric.format],
    }


def _newest(period: str) -> dict[str, Any]:
    """Return the metric by which tables put the newest rows first."""
    return {
        "metric_name": "newest",
        "verbose_name": "Newest",
        "expression": f"max({period})",
        "description": f"The newest {period}; sorts tables.",
        "d3format": "",
    }


def _format(column: MartColumn) -> str:
    """Return how D3 formats a metric: money has two decimals, or six where it is the tiny price of one thing."""
    if column.ratio and column.ratio.startswith("100 * "):
        return _PERCENT
    if column.ratio and "currency" not in column.description:
        return _SHARE
    scale = int(column.type.rstrip(")").split(",")[-1]) if column.type.startswith("numeric(") else 0
    return _COUNT if scale == 0 else f",.{6 if column.ratio and scale > _RATIO_SCALE else 2}f"
