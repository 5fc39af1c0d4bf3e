"""What the containers need before they can start, made by the code that makes it for the local stack; safe to repeat.

``prepare.py files`` first: secrets, Airflow's configuration. ``prepare.py servers`` once the servers run: MongoDB's
replica set and users, Airflow's role, database and tables.
"""

import sys

from local.airflow import Airflow, create_fernet
from local.mongo import Mongo
from local.stack import SECRETS
from promptsales.settings import Settings, settings


def files(chosen: Settings) -> None:
    """Make the secrets that are not there yet, and write what holds some of them."""
    for name in SECRETS:
        chosen.secrets.create(name)
    create_fernet(chosen)
    (chosen.state / "logs").mkdir(exist_ok=True)
    for path, text in Airflow(chosen).files().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8")


def servers(chosen: Settings) -> None:
    """Do what only running servers can do."""
    Mongo(chosen).settle()
    Airflow(chosen).prepare()


if __name__ == "__main__":
    {"files": files, "servers": servers}[sys.argv[1]](settings())
