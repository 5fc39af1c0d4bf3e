"""Create what the containers need before they start, with the code of the local stack. Safe to repeat.

``prepare.py files`` creates secrets and Airflow's configuration, and gives each server its own secrets.
``prepare.py servers``, once the servers run, creates MongoDB's replica set and users, and Airflow's role, database and
tables.
"""

import sys

from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from local.airflow import AirflowService, create_fernet
from local.mongo import Mongo
from local.service import Unwell
from local.stack import SECRETS
from promptsales.secrets import Secrets
from promptsales.settings import Settings, settings

# the secrets that a container sees, by the folder that is its volume
HANDED_OUT = {
    "postgres": ("postgres",),
    "mongo": ("mongo_keyfile",),
    "redis": ("redis",),
    "connect": ("cdc",),
    "stream": ("warehouse_loader", "cdc", "redis"),
}
# the servers run as users of their own, in this process's group; our own code refuses a secret that a group may read
_OURS, _SERVERS = 0o600, 0o440


def create_files(stack: Settings) -> None:
    """Create the missing secrets, and write Airflow's configuration, which holds some of them."""
    for name in SECRETS:
        stack.secrets.create(name)
    create_fernet(stack)
    for folder in HANDED_OUT:
        _hand_out(stack, folder)
    for path, text in AirflowService(stack).files().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8")


def _hand_out(stack: Settings, name: str) -> None:
    """Copy the secrets of one container into its folder, which only it and this process mount."""
    folder = stack.state / "secrets_of" / name
    mine = Secrets(folder)
    for secret in HANDED_OUT[name]:
        mine.write(secret, stack.secrets.password(secret))
        (folder / secret).chmod(_OURS if name == "stream" else _SERVERS)
    folder.chmod(0o750)


def prepare_servers(stack: Settings) -> None:
    """Create what only running servers can create: users, databases, tables."""
    mongo = Mongo(stack)
    # a replica set that was just initiated elects its primary first
    for attempt in Retrying(
        retry=retry_if_exception_type(Unwell), stop=stop_after_delay(mongo.patience_s), wait=wait_fixed(1), reraise=True
    ):
        with attempt:
            mongo.settle()
    AirflowService(stack).prepare()


if __name__ == "__main__":
    {"files": create_files, "servers": prepare_servers}[sys.argv[1]](settings())
