"""The ways to load leads that are compared, each as the tool's own documentation says."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple

from bench.peers.environments import version

HERE = Path(__file__).parent
PERSONAL = ("email", "phone", "click_id")
OURS = "(select *, lead_id as id from core.leads) as leads"

# how the personal columns must look in the target
Hashing = Literal["clear", "md5", "sha256", "hmac", "ours"]


class Method(NamedTuple):
    """One way to load leads: the tool (empty for ours and the floor), what it is called, and how it hashes."""

    name: str
    tool: str
    label: str
    hashing: Hashing

    @property
    def schema(self) -> str:
        """Return the schema of the method's target."""
        return f"peer_{self.name.replace('-', '_')}"

    @property
    def relation(self) -> str:
        """Return what a query selects the loaded rows from."""
        return {"floor": "floor.leads", "promptsales": OURS}.get(self.name, f"{self.schema}.leads")

    @property
    def tables(self) -> str:
        """Return the tables to vacuum before a run."""
        return {"floor": "floor.leads", "promptsales": "core.leads, core.leads_history, ops.touched"}.get(
            self.name, f"{self.schema}.leads"
        )

    @property
    def title(self) -> str:
        """Return the label with the tool's version."""
        return self.label.format(version(self.tool)) if self.tool else self.label


METHODS = {
    method.name: method
    for method in (
        Method("floor", "", "floor: psql, COPY and upsert", "clear"),
        Method("promptsales", "", "**PromptSales**, keyed hashes, audited", "ours"),
        Method("dlt", "dlt", "dlt {}, ConnectorX and upsert", "clear"),
        Method("dlt-hash", "dlt", "dlt {}, the same, `add_map` with HMAC", "hmac"),
        Method("dlt-rows", "dlt", "dlt {}, its defaults", "clear"),
        Method("sling", "sling", "sling {}", "clear"),
        Method("sling-hash", "sling", "sling {}, transform `hash_md5`", "md5"),
        Method("ingestr", "ingestr", "ingestr {}", "clear"),
        Method("ingestr-hash", "ingestr", "ingestr {}, `--mask` with `sha256`", "sha256"),
    )
}
# dlt's defaults take several times as long as its faster way, so they are measured when they are asked for
DEFAULT = tuple(name for name in METHODS if name != "dlt-rows")


def command(method: Method, home: Path, newest: str) -> list[str | Path]:
    """Return the command of a method.

    Args:
        method: any but the floor.
        home: the tool's environment.
        newest: the newest ``updated_at`` in the method's target, empty before the first load.
    """
    if method.name == "promptsales":
        return [sys.executable, "-m", "bench.child", "leads"]
    commands: dict[str, Callable[[Method, Path, str], list[str | Path]]] = {
        "dlt": _dlt,
        "sling": _sling,
        "ingestr": _ingestr,
    }
    return commands[method.tool](method, home, newest)


def _dlt(method: Method, home: Path, newest: str) -> list[str | Path]:
    way = "rows" if method.name == "dlt-rows" else "arrow"
    return [home / "bin" / "python", HERE / "dlt_load.py", way, "clear" if method.hashing == "clear" else "hash"]


def _sling(method: Method, home: Path, newest: str) -> list[str | Path]:
    (program,) = home.glob("lib/python*/site-packages/sling_linux_amd64/bin/sling-linux-amd64")
    incremental = ("--mode", "incremental", "--primary-key", "id", "--update-key", "updated_at")
    target = ("--tgt-conn", "PEER_TARGET", "--tgt-object", method.relation)
    transforms = {name: [f"hash_{method.hashing}"] for name in PERSONAL} if method.hashing != "clear" else {}
    hashes = ("--transforms", json.dumps(transforms)) if transforms else ()
    return [program, "run", "--src-conn", "PEER_SOURCE", "--src-stream", "peers.leads", *target, *incremental, *hashes]


def _ingestr(method: Method, home: Path, newest: str) -> list[str | Path]:
    merge = ("--primary-key", "id", "--incremental-key", "updated_at", "--incremental-strategy", "merge")
    # it keeps no state: without a start it reads every row again
    start = ("--interval-start", newest) if newest else ()
    masks = [f"--mask={name}:{method.hashing}" for name in PERSONAL] if method.hashing != "clear" else []
    tables = ("--source-table", "peers.leads_text", "--dest-table", method.relation)
    return [home / "bin" / "ingestr", "ingest", "--yes", "--progress", "log", *tables, *merge, *start, *masks]


def environment(method: Method, source: str, target: str, key: str, folder: Path) -> dict[str, str]:
    """Return the environment of a tool: addresses with their passwords, which a command line would show to all."""
    home = folder / method.name
    home.mkdir(parents=True, exist_ok=True)
    return os.environ | {
        "PEER_SOURCE": source,
        "PEER_TARGET": target,
        "PEER_SCHEMA": method.schema,
        "PEER_FOLDER": str(home),
        "PEER_KEY": key,
        "SOURCE_URI": source,
        "DESTINATION_URI": target,
        "HOME": str(home),
        "SLING_HOME_DIR": str(home),
        "SLING_DISABLE_TELEMETRY": "true",
        "RUNTIME__DLTHUB_TELEMETRY": "false",
        "INGESTR_DISABLE_TELEMETRY": "true",
    }
