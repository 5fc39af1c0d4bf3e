"""The password of the mail server and the address of the webhook are read where an alert is sent, and only there."""

from pathlib import Path

from local.airflow import create_secrets
from local.stack import SECRETS, services
from local.supervisor import Supervisor, render
from promptsales.settings import Settings
from tests.support.inbox import MAIL_PASSWORD, WEB_TOKEN, mail_address, web_address


def test_no_program_inherits_them(tmp_path: Path) -> None:
    settings = Settings(state=tmp_path, alert_mail=mail_address(25), alert_webhook=web_address(80))
    for name in SECRETS:
        settings.secrets.create(name)
    create_secrets(settings)
    stack = services(settings)
    programs = [program for service in stack for program in service.programs()]
    supervisor = Supervisor(tmp_path)
    # the supervisor's configuration has the environment and the command line of every program
    configuration = render(supervisor.run, supervisor.logs, programs)
    assert [secret for secret in (MAIL_PASSWORD, WEB_TOKEN) if secret in configuration] == []
    files = [(path.name, text) for service in stack for path, text in service.files().items()]
    assert {secret: [name for name, text in files if secret in text] for secret in (MAIL_PASSWORD, WEB_TOKEN)} == {
        MAIL_PASSWORD: ["airflow.alerts.json"],
        WEB_TOKEN: ["airflow.alerts.json"],
    }
