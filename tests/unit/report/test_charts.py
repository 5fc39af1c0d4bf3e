"""Names in charts are unchanged, and the SVG is valid in every browser."""

from xml.etree import ElementTree

import pytest

from promptsales.report.charts import chart
from promptsales.report.dashboards import Kind

# as short as labels are cut
NAME, SHOWN = "[/]<b>\x1b[m\u202e $x$", r"[/]<b>\x1b[m\u202e $x$"


@pytest.mark.parametrize("kind", ["bar", "line", "stacked", "pie"])
def test_a_label(kind: Kind) -> None:
    drawn = ElementTree.fromstring(chart(kind, ["name", "spend"], [[NAME, 2.0], ["b", 3.0]]))
    assert SHOWN in [text.strip() for text in drawn.itertext()]
