"""The comparison with other tools computes medians, writes its page and picture, and reports a tool that fails."""

import os
import sys
import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bench.peers import environments, picture, report, verify
from bench.peers.environments import InstallationError, build, lock, version
from bench.peers.figures import Spread, markdown, spread
from bench.peers.measure import url
from bench.peers.methods import METHODS, command
from bench.peers.process import ToolError, Usage, last_lines, run

RUNS = {
    "100 changed of 1,000": {
        "floor": [Usage(2.0, 0, 0)],
        "promptsales": [Usage(5.0, 3.0, 40.2), Usage(3.0, 1.0, 41.0), Usage(4.0, 2.0, 39.0)],
        "sling": [Usage(1.0, 0.5, 120.0), Usage(2.0, 0.7, 121.0), Usage(1.5, 0.6, 119.0)],
    }
}
PAGE = f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n"


def test_spread_is_the_median_the_least_and_the_most() -> None:
    assert spread(RUNS["100 changed of 1,000"]["promptsales"]) == Spread(4.0, 3.0, 5.0)
    assert [str(Spread(4.0, 3.0, 5.0)), str(Spread(2.0, 2.0, 2.0))] == ["4.00 (3.00 to 5.00)", "2.00"]


def test_table_has_the_median_its_multiple_of_the_floor_and_the_peak() -> None:
    assert markdown("100 changed", RUNS["100 changed of 1,000"]).splitlines() == [
        "| 100 changed | runs | seconds | x floor | own CPU seconds | peak MiB |",
        "|---|---|---|---|---|---|",
        "| floor: psql, COPY and upsert | 1 | 2.00 | 1.0 | - | - |",
        "| **PromptSales**, keyed hashes, audited | 3 | 4.00 (3.00 to 5.00) | 2.0 | 2.0 | 41 |",
        "| sling 1.4.11 | 3 | 1.50 (1.00 to 2.00) | 0.8 | 0.6 | 121 |",
    ]


def test_table_without_a_floor_has_no_multiple() -> None:
    assert "| sling 1.4.11 | 1 | 1.00 | - | 0.5 | 120 |" in markdown("case", {"sling": [Usage(1.0, 0.5, 120.0)]})


def test_bars_are_as_long_as_the_medians() -> None:
    root = ET.fromstring(picture.draw(RUNS))
    bars = [bar.get("width") for bar in root.iter("{http://www.w3.org/2000/svg}rect") if bar.get("class") != "page"]
    longest = picture.BARS
    assert bars == [f"{longest * part:.1f}" for part in (0.4, 0.8, 0.3)]
    texts = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert texts == [
        "100 changed of 1,000, seconds",
        "floor: psql, COPY and upsert", "2.00",
        "PromptSales, keyed hashes, audited", "4.00",
        "sling 1.4.11", "1.50",
    ]  # fmt: skip


def test_picture_follows_light_and_dark_mode() -> None:
    assert "@media (prefers-color-scheme:dark)" in picture.draw(RUNS)


def test_page_keeps_what_is_outside_the_marks() -> None:
    assert report.replaced(PAGE, "new\n") == f"before\n{report.BEGIN}\n\nnew\n\n{report.END}\nafter\n"


def test_page_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="does not have both marks"):
        report.replaced("no marks", "new")


def test_results_page_has_the_marks() -> None:
    page = report.replaced(report.PAGE.read_text(encoding="utf-8"), "new")
    assert f"{report.BEGIN}\n\nnew\n{report.END}" in page


def test_section_says_why_a_method_has_no_figures() -> None:
    found = report.Report(RUNS, {"ingestr-hash": "first load: 5 of 5 rows in clear text"})
    text = report.section(found, "2 cores", datetime(2026, 1, 2, tzinfo=UTC))
    assert text.startswith("Measured on 2026-01-02 (2 cores). Seconds are medians")
    assert text.endswith(
        "- ingestr 0.15.9, `--mask` with `sha256` has no figures. First load: 5 of 5 rows in clear text.\n"
    )


def test_a_tool_that_fails_is_quoted(tmp_path: Path) -> None:
    script = "import sys; print('read'); print('\\nno such table', file=sys.stderr); sys.exit(3)"
    with pytest.raises(ToolError, match=r"^sling 1 ended with exit code 3; its last lines: read \| no such table$"):
        run("sling 1", [sys.executable, "-u", "-c", script], os.environ, tmp_path)


def test_a_tool_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=r"sling 1 cannot be started: .*absent: No such file"):
        run("sling 1", [tmp_path / "absent"], os.environ, tmp_path)


def test_a_run_is_measured_from_outside(tmp_path: Path) -> None:
    usage = run("python", [sys.executable, "-c", "sum(range(10**6))"], os.environ, tmp_path)
    assert usage.cpu_s > 0
    assert usage.wall_s > 0
    assert usage.peak_mib > 1


def test_last_lines_skip_blank_ones() -> None:
    assert last_lines("\n".join(f"line {number}\n" for number in range(20))) == " | ".join(
        f"line {number}" for number in range(12, 20)
    )


@pytest.mark.parametrize("tool", ["dlt", "sling", "ingestr"])
def test_packages_are_pinned_with_hashes(tool: str) -> None:
    lines = lock(tool).read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if "==" in line and not line.startswith((" ", "#"))]
    assert pins
    assert all(line.endswith("\\") for line in pins)
    assert version(tool)[0].isdigit()


def test_no_registry_is_a_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(environments.INSTALLER, "UV_OFFLINE", "1")
    monkeypatch.setitem(environments.INSTALLER, "UV_CACHE_DIR", str(tmp_path / "cache"))
    with pytest.raises(InstallationError, match=r"^sling 1\.4\.11 could not be installed from the package registry"):
        build("sling", tmp_path)


def test_ingestr_starts_where_its_target_ends(tmp_path: Path) -> None:
    first, next_one = (command(METHODS["ingestr"], tmp_path, newest) for newest in ("", "2026-01-01T00:00:00.000001Z"))
    assert "--interval-start" not in first
    assert next_one[next_one.index("--interval-start") + 1] == "2026-01-01T00:00:00.000001Z"


def test_no_password_is_in_a_command_line(tmp_path: Path) -> None:
    program = tmp_path / "lib/python3.11/site-packages/sling_linux_amd64/bin/sling-linux-amd64"
    program.parent.mkdir(parents=True)
    program.touch()
    commands = [command(method, tmp_path, "") for method in METHODS.values() if method.name != "floor"]
    assert all("postgresql:" not in str(part) for parts in commands for part in parts)


def test_address_becomes_a_url() -> None:
    assert url("host=h port=1 user=u password=p@/ dbname=x", "crm") == "postgresql://u:p%40%2F@h:1/crm?sslmode=disable"


def test_every_way_of_hashing_has_its_sql() -> None:
    assert verify.source_expression("email", "clear", "k") == "email::text"
    assert verify.source_expression("email", "md5", "k") == "md5(email)"
    assert verify.source_expression("email", "ours", "k") == "null::text"
