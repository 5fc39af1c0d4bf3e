"""A column of a mart says how it is computed from many rows."""

import pytest
from pydantic import ValidationError

from promptsales.specs.mart import Mart, MartColumn, catalogue

CLICKS = {"name": "clicks", "type": "bigint", "description": "Clicks.", "additive": True}
CTR = {"name": "ctr", "type": "numeric(38,6)", "description": "A rate.", "additive": False}
DAY = {"name": "date_day", "type": "date", "description": "Day."}


def column(**values: object) -> MartColumn:
    return MartColumn.model_validate(CTR | values)


@pytest.mark.parametrize(
    ("ratio", "metric"),
    [
        ("clicks / impressions", "sum(clicks) / nullif(sum(impressions), 0)"),
        ("1000 * spend / impressions", "1000 * sum(spend) / nullif(sum(impressions), 0)"),
        ("won / (won + lost)", "sum(won) / nullif((sum(won) + sum(lost)), 0)"),
        ("(a + b + c) / d2", "(sum(a) + sum(b) + sum(c)) / nullif(sum(d2), 0)"),
    ],
)
def test_a_ratio_is_computed_from_sums(ratio: str, metric: str) -> None:
    assert column(ratio=ratio).metric == metric


def test_a_measure_is_summed_where_it_may_be() -> None:
    assert MartColumn.model_validate(CLICKS).metric == "sum(clicks)"
    assert column(sums_within="date_day").metric == "sum(ctr)"
    assert (column().metric, MartColumn.model_validate(DAY).metric) == ("", "")


def test_a_mean_is_weighted() -> None:
    assert column(weighted_by="won + lost").metric == (
        "sum(ctr * (won + lost)) / nullif(sum((won + lost)) filter (where ctr is not null), 0)"
    )


def test_a_percentile_is_shown_of_one_row_only() -> None:
    assert column(one_row=True).metric == "case when count(*) = 1 then max(ctr) end"


def test_a_weight_is_a_sum_of_columns() -> None:
    with pytest.raises(ValidationError, match="is no sum of columns; expected is one such as"):
        column(weighted_by="won * 2")


def test_a_column_has_one_formula() -> None:
    with pytest.raises(ValidationError, match="column ctr has ratio and one_row; keep the one that computes it"):
        column(ratio="clicks / impressions", one_row=True)


@pytest.mark.parametrize(
    "ratio", ["clicks", "a / b / c", "a - b / c", "sum(a) / b", "a / b; drop table x", "a/b", " / b"]
)
def test_what_is_no_ratio_of_sums_is_refused(ratio: str) -> None:
    with pytest.raises(ValidationError, match="is no ratio of sums; expected is one such as"):
        column(ratio=ratio)


def test_a_sum_has_no_other_formula() -> None:
    with pytest.raises(ValidationError, match="column ctr has ratio, so it needs additive: false"):
        column(additive=True, ratio="clicks / impressions")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"ratio": "clicks / impressions"}, "column ctr: impressions in its ratio is no column with a sum"),
        ({"sums_within": "month"}, "column ctr: sums_within month is no column"),
    ],
)
def test_a_formula_names_columns_of_its_mart(values: dict[str, str], message: str) -> None:
    view = {"mart": "x", "kind": "view", "description": "X.", "inputs": ["core.leads"]}
    with pytest.raises(ValidationError, match=message):
        Mart.model_validate(view | {"columns": [DAY, CLICKS, CTR | values]})


def test_a_description_has_the_formula() -> None:
    columns = [column for mart in catalogue().values() for column in mart.columns if column.ratio]
    assert [column.name for column in columns if str(column.ratio) not in column.description] == []


@pytest.mark.parametrize(
    ("name", "label"),
    [("spend_to_date", "Spend to date"), ("ctr", "CTR"), ("paid_cac_incl_ai", "Paid CAC incl AI"), ("date_day", "Day")],
)
def test_a_label_is_readable(name: str, label: str) -> None:
    assert column(name=name).label == label
