"""The SQL that is generated for each table is what the files of `tests/golden` show."""

import difflib

from tests.golden import FOLDER, render


def _difference(name: str, text: str) -> str:
    path = FOLDER / name
    golden = path.read_text(encoding="utf-8") if path.exists() else ""
    return "\n".join(_of_statements(_by_title(golden), _by_title(text), name))


def _by_title(text: str) -> dict[str, str]:
    """The statements of a file by the comment that names them."""
    return {part.partition("\n")[0]: part for part in text.rstrip().split("\n\n")}


def _of_statements(golden: dict[str, str], rendered: dict[str, str], name: str) -> list[str]:
    lines: list[str] = []
    for title in dict.fromkeys([*golden, *rendered]):
        before, after = golden.get(title, ""), rendered.get(title, "")
        lines += difflib.unified_diff(
            before.splitlines(), after.splitlines(), f"tests/golden/{name} {title}", "generated now", lineterm=""
        )
    return lines


def test_generated_statements_are_as_the_golden_files_show() -> None:
    differing = [difference for name, text in render().items() if (difference := _difference(name, text))]
    assert not differing, "run `python -m tests.golden` and review the change:\n" + "\n".join(differing)


def test_every_golden_file_belongs_to_a_table() -> None:
    files = {str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*.sql")}
    assert files == set(render()), "run `python -m tests.golden`: it deletes files of tables that are gone"
