"""`promptsales doctor`: everything that is not as it must be."""

import typer

from local.stack import status
from promptsales.cli.output import Json, print_json, show_line, show_table, working
from promptsales.monitoring.doctor import diagnose
from promptsales.monitoring.findings import Finding
from promptsales.settings import settings

app = typer.Typer()


@app.command()
def doctor(as_json: Json = False) -> None:
    """Tell everything that is not as it must be, with what to do. Exit code 1 when there is anything."""
    here = settings()
    with working("asking every service"):
        found = [
            Finding(service.name, service.health, service.hint)
            for service in status(here)
            if service.health != "healthy"
        ]
    with working("looking at schemas, sources and feeds"):
        found += diagnose(here)
    if as_json:
        print_json([finding._asdict() for finding in found])
    elif found:
        show_table("not as it must be", ("where", "what", "what to do"), found)
    else:
        show_line("everything is as it must be")
    raise typer.Exit(1 if found else 0)
