"""Charts and tables of the report: readable, honest, and in the width of the screen."""

import re
from datetime import date
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree

import pytest

from promptsales.report.charts import PHONE, chart, draw
from promptsales.report.dashboards import DASHBOARDS, Kind
from promptsales.report.labels import cell, label
from promptsales.report.page import HERE, find_wide, table

PACED = [
    ["fast", Decimal("180.0"), "overspent"],
    ["plan", Decimal("101.0"), "on_track"],
    ["slow", Decimal(20), "under"],
]


def texts(svg: str) -> list[str]:
    root = ElementTree.fromstring(svg)
    nodes = (node for node in root.iter() if node.tag.endswith("text"))
    return [text for node in nodes if (text := "".join(node.itertext()).strip())]


def test_a_bar_of_pacing_has_the_colour_of_its_status_and_a_line_where_it_is_on_plan() -> None:
    svg = chart("pacing", ["campaign", "pacing, %", "status"], PACED)
    # pygal draws the first row at the bottom, so the slowest comes first
    assert re.findall(r'style="fill: var\(--(\w+)\)', svg) == ["under", "on_track", "overspent"]
    assert re.findall(r'class="major guide line"', svg) == ['class="major guide line"']
    assert texts(svg)[:9] == ["20% slow", "101% plan", "180% fast", "0", "50", "100", "150", "200", "250"]


def test_a_long_name_leaves_room_for_its_bar() -> None:
    svg = chart("bar", ["campaign", "leads"], [["A campaign with a long name", 3]], PHONE)
    assert texts(svg)[0] == "A campaign with\N{HORIZONTAL ELLIPSIS}"


def test_a_budget_that_was_spent_a_thousandfold_hides_no_other() -> None:
    rows = [["tiny", Decimal("238174.1"), "overspent"], *PACED]
    svg = chart("pacing", ["campaign", "pacing, %", "status"], rows)
    assert texts(svg)[3:10] == ["238,174% tiny", "0", "50", "100", "150", "200", "250"]


def test_the_colours_of_pacing_are_explained() -> None:
    marks = re.findall(r'<span class="mark (\w+)">([^<]+)</span>', draw("pacing", ["c", "p", "status"], PACED, False))
    assert marks == [("overspent", "overspent"), ("on_track", "on track"), ("under", "under")]


@pytest.mark.parametrize("kind", ["bar", "stacked", "pacing"])
def test_bars_begin_at_zero(kind: Kind) -> None:
    rows: list[list[Any]] = [["a", 96, "under"], ["b", 104, "over"]]
    svg = chart(kind, ["name", "value"], [row if kind == "pacing" else row[:2] for row in rows])
    assert "0" in texts(svg)


@pytest.mark.parametrize("kind", ["line", "bar", "stacked", "pie"])
def test_a_phone_has_a_chart_of_its_width(kind: Kind) -> None:
    drawn = draw(kind, ["day", "spend"], [[date(2026, 1, day), day] for day in range(1, 29)], True)
    large, small = re.findall(r'viewBox="0 0 (\d+) \d+"', drawn)
    assert (int(large), int(small)) == (1280, PHONE.width)
    # a phone of 400 px, less the margins of page (20) and panel (16) and its border
    assert PHONE.width <= 400 - 2 * (20 + 16 + 1)


def test_codes_are_spelt_out_and_names_are_not_touched() -> None:
    assert label("status", "on_track") == "on track"
    assert label("method", "utm_campaign") == "UTM campaign"
    assert label("currency", "XXX") == "no currency"
    assert label("campaign", "spring_sale XXX") == "spring_sale XXX"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("1234567.5"), "1,234,567.50"),
        (Decimal("12.3456789"), "12.35"),
        (Decimal("0.00123"), "0.00123"),
        (Decimal("0.000000"), "0.00"),
        (Decimal(4321), "4,321"),
        (4321, "4,321"),
        (True, "yes"),
        (None, "–"),  # noqa: RUF001 - what people see
    ],
)
def test_a_cell(value: Any, text: str) -> None:
    assert cell("spend", value) == text


def test_missing_values_are_aligned_with_the_numbers_of_their_column() -> None:
    drawn = table(["campaign", "CPA"], [["a", None], ["b", Decimal("2.5")]])
    assert re.findall(r"<t[hd](| [^>]*)>([^<]*)<", drawn) == [
        ("", "campaign"),
        (' class="number"', "CPA"),
        ("", "a"),
        (' class="number"', "–"),  # noqa: RUF001 - what people see
        ("", "b"),
        (' class="number"', "2.50"),
    ]


@pytest.mark.parametrize(
    ("must", "wide"),
    [
        ([False], [True]),
        ([True], [True]),
        ([False, False], [False, False]),
        ([False, True], [True, True]),
        ([False, False, False, True, True], [False, False, True, True, True]),
        ([True, False, False], [True, False, False]),
    ],
)
def test_no_row_is_half_empty(must: list[bool], wide: list[bool]) -> None:
    assert find_wide(must) == wide


def test_months_of_charts_are_in_order_and_conversions_have_their_own_axis() -> None:
    charts = {
        panel.query for dashboard in DASHBOARDS for panel in dashboard.panels if panel.kind in ("line", "stacked")
    }
    queries = {name: (HERE / "sql" / f"{name}.sql").read_text(encoding="utf-8") for name in charts}
    assert {name for name, text in queries.items() if not text.rstrip().endswith("order by 1")} == set()
    assert {name for name, text in queries.items() if "sum(conversions)" in text} == {"delivery_conversions"}
