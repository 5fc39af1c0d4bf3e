"""The catalogue of marts: each one's specification, the order of builds, and the selection by name."""

from datetime import date, timedelta
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptsales.errors import ConfigError
from promptsales.marts.datasets import FOLDER, datasets
from promptsales.marts.dictionary import PAGE, page
from promptsales.marts.graph import PICTURE, edges, picture
from promptsales.marts.plan import _aligned, _ranges, core_inputs
from promptsales.marts.span import Span
from promptsales.settings import ROOT
from promptsales.specs.mart import catalogue, mart, select, tables
from promptsales.specs.suite import read_suite

TABLES = list(tables())


@pytest.mark.parametrize("name", TABLES)
def test_a_mart_has_all_its_files(name: str) -> None:
    spec = mart(name)
    missing = [
        path.name
        for path in (spec.folder / "table.sql", spec.folder / "periods.sql", ROOT / "spark_jobs" / f"{name}.py")
        if not path.exists()
    ]
    assert not missing, f"mart {name} has no {', '.join(missing)}"
    assert read_suite(spec).expectations


@pytest.mark.parametrize("name", TABLES)
def test_money_has_its_currency_in_the_grain(name: str) -> None:
    spec = mart(name)
    has_money = any("currency_code" in column.description and column.name != "currency_code" for column in spec.columns)
    assert not has_money or "currency_code" in spec.grain or name == "lead_attribution"


def test_what_is_made_of_a_mart_comes_after_it() -> None:
    for name, spec in tables().items():
        assert all(TABLES.index(upstream) < TABLES.index(name) for upstream in spec.upstream)


@pytest.mark.parametrize(
    ("expression", "marts"),
    [
        ("ai_cost_daily", ["ai_cost_daily"]),
        ("+campaign_pacing_daily", ["campaign_performance_daily", "campaign_pacing_daily"]),
        ("lead_attribution+", ["lead_attribution", "campaign_funnel_cohort"]),
        ("campaign_pacing_daily ai_cost_daily", ["ai_cost_daily", "campaign_pacing_daily"]),
    ],
)
def test_select(expression: str, marts: list[str]) -> None:
    assert select(expression) == marts


def test_a_selection_of_nothing_known() -> None:
    with pytest.raises(ConfigError, match="there is no mart 'leads'; marts are ai_cost_daily, "):
        select("+leads")


def test_inputs_are_followed_to_what_feeds_fill() -> None:
    assert core_inputs(catalogue()["campaign_pacing_daily"]) == ["core.campaigns", "core.campaign_metrics"]


DAY = date(2026, 1, 1)


def days(*offsets: int) -> list[date]:
    return [DAY + timedelta(offset) for offset in offsets]


def test_days_become_few_ranges() -> None:
    assert _ranges(days(0, 1, 3, 40)) == [(DAY, DAY + timedelta(4)), (DAY + timedelta(40), DAY + timedelta(41))]
    many = _ranges(days(*range(0, 300, 10)))
    assert len(many) == 8
    assert {day for day in days(*range(0, 300, 10)) if not any(start <= day < end for start, end in many)} == set()


def test_months_are_built_whole() -> None:
    ranges = [
        (date(2024, 2, 29), date(2024, 3, 1)),
        (date(2024, 3, 5), date(2024, 3, 6)),
        (date(2024, 12, 31), date(2025, 1, 1)),
    ]
    assert _aligned(ranges, mart("sales_performance_monthly")) == (
        (date(2024, 2, 1), date(2024, 4, 1)),
        (date(2024, 12, 1), date(2025, 1, 1)),
    )


def test_a_long_range_that_ended_long_ago_is_not_read_beyond_its_end() -> None:
    ranges = ((date(2024, 1, 1), date(2025, 6, 1)), (date(2026, 3, 1), date(2026, 3, 3)))
    assert list(Span(ranges, date(2026, 11, 26)).slices(2)) == [
        (date(2024, 1, 1), date(2025, 6, 1)),
        (date(2026, 3, 1), date(2026, 3, 2)),
        (date(2026, 3, 2), date(2026, 3, 3)),
    ]


@given(
    cuts=st.lists(st.dates(date(1900, 1, 1), date(2041, 1, 1)), min_size=2, max_size=16, unique=True).map(sorted),
    as_of_day=st.dates(date(1890, 1, 1), date(2050, 1, 1)),
    partitions=st.integers(1, 64),
)
@settings(max_examples=300, deadline=None)
def test_slices_cover_each_day_of_their_ranges_once(cuts: list[date], as_of_day: date, partitions: int) -> None:
    ranges = tuple(zip(cuts[::2], cuts[1::2], strict=False))
    slices = list(Span(ranges, as_of_day).slices(partitions))
    assert all(start < end for start, end in slices)
    assert all(before[1] <= after[0] for before, after in pairwise(slices))
    for start, end in ranges:
        inside = [cut for cut in slices if start <= cut[0] and cut[1] <= end]
        assert sum((last - first).days for first, last in inside) == (end - start).days
    assert sum((last - first).days for first, last in slices) == sum((end - start).days for start, end in ranges)


@given(offsets=st.sets(st.integers(0, 4000), max_size=40), name=st.sampled_from(TABLES))
@settings(max_examples=300, deadline=None)
def test_planned_ranges_are_disjoint_and_hold_every_touched_day(offsets: set[int], name: str) -> None:
    touched = days(*sorted(offsets))
    ranges = _aligned(_ranges(touched), mart(name))
    assert len(ranges) <= 8
    assert all(start < end for start, end in ranges)
    assert all(before[1] <= after[0] for before, after in pairwise(ranges))
    assert all(any(start <= day < end for start, end in ranges) for day in touched)


def test_the_datasets_of_dashboards_are_up_to_date() -> None:
    written = {path: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.yaml")}
    assert written == datasets(), (
        "bi/datasets is out of date: run `promptsales docs`, and delete files of removed marts"
    )


def test_the_data_dictionary_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "docs/reference/marts.md is out of date: run `promptsales docs`"


def test_the_picture_of_the_models_is_up_to_date() -> None:
    assert PICTURE.read_text(encoding="utf-8") == picture(), "docs/models.svg is out of date: run `promptsales docs`"


def test_the_picture_shows_every_mart_from_its_sources_on() -> None:
    known = edges()
    assert {
        ("crm.leads", "core.leads"),
        ("core.leads", "marts.lead_attribution"),
        ("marts.lead_attribution", "marts.campaign_funnel_cohort"),
        ("promptads.campaigns", "core.campaigns"),
        ("promptcontent.prompt_history", "core.prompts"),
        ("plan_price/seed.csv", "core.plan_price"),
        ("marts.subscription_mrr_monthly", "marts.mrr_waterfall_monthly"),
    } <= set(known)
    root, space = ElementTree.fromstring(picture()), "{http://www.w3.org/2000/svg}"
    shown = [element.text for element in root.iter(f"{space}text")]
    assert sorted(map(str, shown)) == sorted({name for edge in known for name in edge})
    assert {f"marts.{name}" for name in catalogue()} <= set(shown)
    assert len(list(root.iter(f"{space}path"))) == len(known)
    places = [(box.get("x"), box.get("y")) for box in root.iter(f"{space}rect")]
    assert len(set(places)) == len(places)
