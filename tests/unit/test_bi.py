"""The files of `bi/` fit together: what Superset would report only when somebody opens a dashboard."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from promptsales.settings import ROOT
from promptsales.specs.mart import catalogue


def read(kind: str) -> dict[str, dict[str, Any]]:
    """Return the files of a kind by their identifiers."""
    texts = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "bi" / kind).rglob("*.yaml"))]
    return {found["uuid"]: found for found in map(yaml.safe_load, texts)}


DATASETS, CHARTS, DASHBOARDS = read("datasets"), read("charts"), read("dashboards")


def charts_of(dashboard: dict[str, Any]) -> dict[int, dict[str, Any]]:
    """Return the charts of a dashboard by the numbers that its filters use."""
    boxes = [box for box in dashboard["position"].values() if isinstance(box, dict) and box["type"] == "CHART"]
    return {box["meta"]["chartId"]: CHARTS[box["meta"]["uuid"]] for box in boxes}


def filter_of(dashboard: dict[str, Any], name: str) -> dict[str, Any] | None:
    return next((f for f in dashboard["metadata"]["native_filter_configuration"] if f["name"] == name), None)


def test_each_file_has_an_identifier_of_its_own() -> None:
    for kind, found in (("datasets", DATASETS), ("charts", CHARTS), ("dashboards", DASHBOARDS)):
        assert len(found) == len(list(Path(ROOT / "bi" / kind).rglob("*.yaml")))


def test_charts_name_columns_and_metrics_of_their_dataset() -> None:
    unknown = [
        (chart["slice_name"], name)
        for chart in CHARTS.values()
        for name in named(chart["params"])
        if name not in names_of(DATASETS[chart["dataset_uuid"]])
    ]
    assert unknown == []


def names_of(dataset: dict[str, Any]) -> set[str]:
    return {c["column_name"] for c in dataset["columns"]} | {m["metric_name"] for m in dataset["metrics"]}


def named(params: dict[str, Any]) -> list[str]:
    """Return what a chart takes from its dataset by name; the rest is SQL."""
    single = [params[key] for key in ("metric", "x_axis", "timeseries_limit_metric") if key in params]
    several = [name for key in ("metrics", "groupby") for name in params.get(key, ())]
    filtered = [f["subject"] for f in params["adhoc_filters"] if f["expressionType"] == "SIMPLE"]
    return [name for name in (*single, *several, *filtered) if isinstance(name, str)]


def test_every_chart_is_on_one_dashboard() -> None:
    shown = [chart["uuid"] for dashboard in DASHBOARDS.values() for chart in charts_of(dashboard).values()]
    assert sorted(shown) == sorted(CHARTS)


@pytest.mark.parametrize("dashboard", DASHBOARDS.values(), ids=lambda dashboard: dashboard["slug"])
def test_money_is_shown_in_one_currency(dashboard: dict[str, Any]) -> None:
    currency, charts = filter_of(dashboard, "Currency"), charts_of(dashboard)
    unfiltered = set(charts) if currency is None else set(currency["scope"]["excluded"])
    assert [charts[n]["slice_name"] for n in unfiltered if shows_money(charts[n])] == []
    if currency is not None:
        controls = currency["controlValues"]
        # without requiredFirst, the first currency is shown and not applied
        settings = (controls["multiSelect"], controls["enableEmptyFilter"], currency["requiredFirst"])
        assert settings == (False, True, True)


def shows_money(chart: dict[str, Any]) -> bool:
    """Return whether a chart takes a metric that has a currency."""
    dataset = DATASETS[chart["dataset_uuid"]]
    money = {m["metric_name"] for m in dataset["metrics"] if "currency" in m["description"]}
    return bool(money & set(named(chart["params"])))


@pytest.mark.parametrize("dashboard", DASHBOARDS.values(), ids=lambda dashboard: dashboard["slug"])
def test_a_dashboard_begins_with_how_complete_its_marts_are(dashboard: dict[str, Any]) -> None:
    charts = charts_of(dashboard)
    first, shown = charts[1], {DATASETS[chart["dataset_uuid"]]["table_name"] for chart in charts.values()}
    marts = {name for view in shown for name in tables_behind(view)}
    assert dashboard["position"]["ROW-1"]["children"][0] == "CHART-1"
    assert DATASETS[first["dataset_uuid"]]["table_name"] == "data_freshness"
    said = " ".join(f.get("sqlExpression", "") for f in first["params"]["adhoc_filters"])
    assert [mart for mart in marts if f"'{mart}'" not in said] == []


def tables_behind(name: str) -> set[str]:
    """Return the marts whose figures a mart or view shows."""
    mart = catalogue()[name]
    return {name} if mart.kind == "table" else set(mart.upstream)


def test_no_chart_has_a_metric_of_its_own() -> None:
    named_so = ("metric", "timeseries_limit_metric")
    own = [
        chart["slice_name"]
        for chart in CHARTS.values()
        for metric in (*chart["params"].get("metrics", ()), *map(chart["params"].get, named_so))
        if metric is not None and metric not in metrics_of(chart)
    ]
    assert own == []


def metrics_of(chart: dict[str, Any]) -> set[str]:
    """Return the metrics that `mart.yml` defines for a chart's dataset."""
    return {metric["metric_name"] for metric in DATASETS[chart["dataset_uuid"]]["metrics"]}
