"""The histograms of the benchmark of the stream."""

from xml.etree import ElementTree

from bench.histogram import as_svg, as_text, count

_NS = "{http://www.w3.org/2000/svg}"
_DELAYS = [5, 10, 11, 30, 999, 1000, 1001, 20_000]
_TEXT = """\
  to 10 ms          2 ########################################
  to 25 ms          1 ####################
  to 50 ms          1 ####################
 to 100 ms          0
 to 250 ms          0
 to 500 ms          0
    to 1 s          2 ########################################
  to 2.5 s          1 ####################
    to 5 s          0
   to 10 s          0
 over 10 s          1 ####################"""


def test_a_delay_that_equals_an_edge_belongs_below_it() -> None:
    assert count(_DELAYS) == [2, 1, 1, 0, 0, 0, 2, 1, 0, 0, 1]
    assert as_text(count(_DELAYS)) == _TEXT


def test_the_picture_marks_what_is_late_and_has_colors_for_dark_pages() -> None:
    picture = as_svg(count(_DELAYS), "A title", 1_000)
    bars = [
        (float(bar.get("width", 0)), bar.get("class")) for bar in ElementTree.fromstring(picture).iter(f"{_NS}rect")
    ]
    assert bars == [
        (430, None), (215, None), (215, None), (0, None), (0, None), (0, None), (430, None),
        (215, "late"), (0, "late"), (0, "late"), (215, "late"),
    ]  # fmt: skip
    assert "@media (prefers-color-scheme:dark)" in picture
