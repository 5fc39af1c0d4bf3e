"""The order of migrations, and faults of their files."""

from hashlib import sha256
from pathlib import Path

import pytest

from promptsales.errors import ConfigError
from promptsales.provision.lines import Line, list_lines, read_line
from promptsales.provision.migrations import verify


def of(folder: Path, *names: str) -> Line:
    for name in names:
        (folder / name).write_text(f"select '{name}';")
    return read_line("warehouse", "a_line", None, folder)


def applied(line: Line) -> dict[str, tuple[str, str]]:
    return {item.number: (item.name, item.checksum) for item in line.migrations}


def test_order(tmp_path: Path) -> None:
    line = of(tmp_path, "0010_last.sql", "table.sql", "0002_second.sql", "query.sql", "contract.yml")
    assert [(item.number, item.path.name) for item in line.migrations] == [
        ("0001", "table.sql"),
        ("0002", "0002_second.sql"),
        ("0010", "0010_last.sql"),
    ]


@pytest.mark.parametrize("name", ["2_short.sql", "00002_long.sql", "0002-dash.sql", "0002_Upper.sql"])
def test_name_without_a_place(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="NNNN_what_it_does"):
        of(tmp_path, name)


def test_same_place_twice(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="have the same number"):
        of(tmp_path, "table.sql", "0001_again.sql")


def test_sources_come_before_what_refers_to_them() -> None:
    assert [(item.name, item.owner) for item in list_lines("promptsales")] == [
        ("promptsales", "promptsales_owner"),
        ("promptads", "promptads_owner"),
        ("etl", None),
    ]
    assert [item.name for item in list_lines("promptcrm")] == ["promptcrm", "etl"]


def test_warehouse_begins_with_its_schemas() -> None:
    names = [item.name for item in list_lines("warehouse")]
    assert names[0] == "schemas"
    assert {"ops_feed", "core_leads", "marts_data_freshness"} <= set(names)
    assert {item.owner for item in list_lines("warehouse")} == {"warehouse_owner"}
    assert all(item.migrations for item in list_lines("warehouse"))


def test_unchanged_files_and_new_ones_are_fine(tmp_path: Path) -> None:
    before = applied(of(tmp_path, "table.sql"))
    verify(of(tmp_path, "0002_more.sql"), before)
    verify(of(tmp_path), {})


def test_changed_file_is_refused(tmp_path: Path) -> None:
    before = applied(of(tmp_path, "table.sql"))
    (tmp_path / "table.sql").write_text("select 'other';")
    with pytest.raises(ConfigError, match=r"table\.sql was changed after it was applied; .* new numbered file"):
        verify(read_line("warehouse", "a_line", None, tmp_path), before)


def test_a_file_that_main_had_with_another_comment_is_fine() -> None:
    (line,) = (line for line in list_lines("warehouse") if line.name == "ops_reread")
    (file,) = line.migrations
    text = file.text.replace(b"promptsales/load/due.sql", b"promptsales/feeds/sql/due.sql")
    verify(line, {file.number: (file.name, sha256(text).hexdigest())})


def test_removed_file_is_refused(tmp_path: Path) -> None:
    before = applied(of(tmp_path, "table.sql", "0002_more.sql"))
    (tmp_path / "0002_more.sql").unlink()
    with pytest.raises(ConfigError, match=r"0002_more\.sql was applied but is missing; restore it"):
        verify(read_line("warehouse", "a_line", None, tmp_path), before)


def test_late_file_is_refused(tmp_path: Path) -> None:
    before = applied(of(tmp_path, "table.sql", "0003_third.sql"))
    with pytest.raises(ConfigError, match=r"0002_late\.sql comes before .*0003_third\.sql, which is applied"):
        verify(of(tmp_path, "0002_late.sql"), before)
