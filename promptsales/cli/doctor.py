"""`promptsales doctor`: list every problem and how to fix it."""

import typer

from local.stack import status
from promptsales.cli.output import Json, print_json, show_line, show_table, working
from promptsales.monitoring.doctor import diagnose
from promptsales.monitoring.findings import Finding
from promptsales.settings import settings

app = typer.Typer()


@app.command()
def doctor(as_json: Json = False) -> None:
    """List every problem and how to fix it. Exit code 1 when there is one."""
    here = settings()
    with working("checking every service"):
        findings = [
            Finding(service.name, service.health, service.hint)
            for service in status(here)
            if service.health != "healthy"
        ]
    with working("checking schemas, sources and feeds"):
        findings += diagnose(here)
    if as_json:
        print_json([finding._asdict() for finding in findings])
    elif findings:
        show_table("problems", ("where", "problem", "what to do"), findings)
    else:
        show_line("no problem found")
    raise typer.Exit(1 if findings else 0)
