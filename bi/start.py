"""Migrate Superset's metadata, create its first login, import what lies beside this file, and serve.

It runs in Superset's own environment. One process does all of it: each of Superset's commands would import everything
anew.
"""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import superset
from flask import Flask
from flask_migrate import upgrade
from gunicorn.app.base import BaseApplication
from superset.app import create_app

HERE = Path(__file__).parent
KINDS = ("databases", "datasets", "charts", "dashboards")


def main() -> None:
    """Do what the module says; the variable PROMPTSALES_BI names the file of addresses and secrets."""
    values: dict[str, str] = json.loads(Path(os.environ["PROMPTSALES_BI"]).read_text(encoding="utf-8"))
    app = create_app()
    with app.app_context():
        upgrade(directory=str(Path(superset.__file__).parent / "migrations"))
        _create_login(values["password"])
        _import(Path(values["imported"]))
    Server(app, values["bind"]).run()


def _create_login(password: str) -> None:
    # Superset imports the models of these only after the application is created
    from superset.extensions import appbuilder, security_manager

    appbuilder.add_permissions(update_perms=True)
    security_manager.sync_role_definitions()
    superset.db.session.commit()
    if not security_manager.find_user("admin"):
        role = security_manager.find_role("Admin")
        security_manager.add_user("admin", "PromptSales", "admin", "admin@localhost", role, password)


def _import(stamp: Path) -> None:
    """Import the files, unless they are those of the last import: what a user changed stays until they change."""
    from flask import g
    from superset.commands.importers.v1.assets import ImportAssetsCommand
    from superset.extensions import security_manager

    contents = read_assets()
    fingerprint = hashlib.sha256(json.dumps(contents, sort_keys=True).encode()).hexdigest()
    if stamp.exists() and stamp.read_text(encoding="ascii") == fingerprint:
        return
    g.user = security_manager.find_user("admin")  # the owner of what is imported
    ImportAssetsCommand(contents).run()
    stamp.write_text(fingerprint, encoding="ascii")


def read_assets() -> dict[str, str]:
    """Return Superset's files by their paths, in the format of its export."""
    files = [HERE / "metadata.yaml", *(path for kind in KINDS for path in sorted((HERE / kind).rglob("*.yaml")))]
    return {str(path.relative_to(HERE)): path.read_text(encoding="utf-8") for path in files}


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """One process with threads: what dashboards wait for is the warehouse."""

    def __init__(self, app: Flask, bind: str) -> None:
        self._app, self._bind = app, bind
        super().__init__()

    def load_config(self) -> None:
        """Set gunicorn's options."""
        options: dict[str, Any] = {"bind": self._bind, "worker_class": "gthread", "threads": 8, "timeout": 90}
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """Return the application."""
        return self._app


if __name__ == "__main__":
    main()
