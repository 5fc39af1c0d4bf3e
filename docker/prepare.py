"""Create what the containers need before they start, with the code of the local stack. Safe to repeat.

``prepare.py files`` creates secrets and the configuration that holds some of them. ``prepare.py servers``, once the
servers run, creates MongoDB's replica set and users, Kafka's logins, and Airflow's role, database and tables.
"""

import sys

from local.airflow import AirflowService, create_fernet
from local.connect import Connect
from local.kafka import Kafka
from local.mongo import Mongo
from local.stack import SECRETS
from promptsales.settings import Settings, settings


def create_files(stack: Settings) -> None:
    """Create the missing secrets, and write the configuration that holds some of them."""
    for name in SECRETS:
        stack.secrets.create(name)
    create_fernet(stack)
    (stack.state / "logs").mkdir(exist_ok=True)
    services = (AirflowService(stack), Kafka(stack), Connect(stack))
    for path, text in (item for service in services for item in service.files().items()):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8")


def prepare_servers(stack: Settings) -> None:
    """Create what only running servers can create: users, databases, tables."""
    Mongo(stack).settle()
    Kafka(stack).settle()
    AirflowService(stack).prepare()


if __name__ == "__main__":
    {"files": create_files, "servers": prepare_servers}[sys.argv[1]](settings())
