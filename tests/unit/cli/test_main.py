"""A command imports only its own module."""

import typer.main

from promptsales.cli.main import MODULES, command_line, select_modules


def test_the_module_of_a_command_has_it_and_each_other_has_not() -> None:
    for name in typer.main.get_command(command_line()).commands:  # type: ignore[attr-defined]
        (module,) = select_modules(["--help", name, "leads"])
        assert [m for m in MODULES if name in typer.main.get_command(command_line([m])).commands] == [module]  # type: ignore[attr-defined]


def test_without_a_command_all_are_there() -> None:
    assert select_modules([]) == select_modules(["--help"]) == select_modules(["lod"]) == MODULES
