"""Start the JVM of Spark's driver: with a class data archive, and without Spark's scripts and launcher.

Loading and verifying Spark's 13,000 classes takes most of a short build. The archive holds them ready to use. The first
JVM without an archive writes one when it ends, in the background; an archive belongs to one Java and one class path.
"""

import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pyspark
from pyspark import SparkContext
from pyspark.serializers import UTF8Deserializer, read_int

from promptsales.errors import TerminalError
from promptsales.java import JARS, VENV, Java, java

CONF = Path(__file__).parent / "conf"
HOME = Path(pyspark.__file__).parent
# a folder that every installation has, whatever Java it uses
ARCHIVES = VENV
# seconds between two looks for the port on which the JVM listens, and the longest time to wait for it
POLL_S, PATIENCE_S = 0.02, 300
# replaces the archive only once the JVM has written it whole
_KEEP = """draft=$1 archive=$2; shift 2; "$@"; code=$?
[ $code = 0 ] && mv -f "$draft" "$archive" 2>/dev/null || rm -f "$draft"
exit $code"""

_processes: list[subprocess.Popen[bytes]] = []


def ensure_gateway(options: dict[str, str], memory: str, tier: int) -> None:
    """Start the JVM that PySpark connects to, unless this process has one.

    Args:
        options: Spark's options by name.
        memory: the largest heap, as Java writes it.
        tier: the last of Java's compiler tiers: 1 compiles fast, 4 makes code that runs fast after a while.

    Raises:
        TerminalError: when Java ends before it listens.
    """
    if SparkContext._gateway is not None:
        return
    with TemporaryDirectory(prefix="promptsales-spark-") as folder:
        info = Path(folder) / "gateway"
        process = _start(options, memory, tier, info)
        _wait_for(info, process)
        with info.open("rb") as file:
            gateway = {"PORT": str(read_int(file)), "SECRET": UTF8Deserializer().loads(file)}
    os.environ |= {f"PYSPARK_GATEWAY_{name}": value for name, value in gateway.items()}
    try:
        SparkContext._ensure_initialized()
    finally:
        for name in gateway:
            os.environ.pop(f"PYSPARK_GATEWAY_{name}")
    # the JVM ends when the pipe to its standard input closes, which this reference keeps open
    _processes.append(process)


def _start(options: dict[str, str], memory: str, tier: int, info: Path) -> subprocess.Popen[bytes]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PROMPTSALES_")}
    environment |= {
        "SPARK_HOME": str(HOME),
        "SPARK_CONF_DIR": str(CONF),
        "SPARK_CONNECT_MODE": "0",
        "_PYSPARK_DRIVER_CONN_INFO_PATH": str(info),
    }
    settings = [word for name, value in options.items() for word in ("--conf", f"{name}={value}")]
    words = [f"@{CONF / 'java.options'}", f"-Dlog4j2.configurationFile={CONF / 'log4j2.properties'}"]
    words += [f"-Xmx{memory}", f"-XX:TieredStopAtLevel={tier}", "-cp", os.pathsep.join(map(str, class_path()))]
    words += ["org.apache.spark.deploy.SparkSubmit", *settings, "pyspark-shell"]
    return _run(java(), words, environment)


def _run(runtime: Java, words: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
    archive = archive_of(runtime)
    is_kept = not archive.exists() and os.access(archive.parent, os.W_OK)
    option = f"-XX:SharedArchiveFile={archive}"
    command = []
    if is_kept:
        draft = archive.with_suffix(f".{os.getpid()}")
        command = ["/bin/sh", "-c", _KEEP, "sh", str(draft), str(archive)]
        option = f"-XX:ArchiveClassesAtExit={draft}"
    process = subprocess.Popen(
        [*command, runtime.command, option, *words],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE if is_kept else None,
        stderr=subprocess.STDOUT if is_kept else None,
        # Ctrl-C is for Python, which cancels the jobs
        preexec_fn=_ignore_interrupts,
    )
    if is_kept:
        # a JVM that is still writing the archive would hold the standard output of a command that has ended
        threading.Thread(target=_forward, args=[process], daemon=True).start()
    return process


def _ignore_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _forward(process: subprocess.Popen[bytes]) -> None:
    for line in process.stdout or ():
        sys.stderr.write(line.decode(errors="replace"))


def _wait_for(info: Path, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + PATIENCE_S
    while not info.exists():
        if process.poll() is not None or time.monotonic() > until:
            process.kill()
            raise TerminalError(
                f"start Spark: {java().command} ended with code {process.wait()} before it listened; its error is "
                "above: check that the memory of PROMPTSALES_SPARK_MEMORY is free, and run `make setup`"
            )
        time.sleep(POLL_S)


def class_path() -> list[Path]:
    """Return the JDBC driver and Spark's jars, in an order that does not depend on the file system."""
    return [next(JARS.glob("jdbc/postgresql-*.jar")), *sorted((HOME / "jars").glob("*.jar"))]


def archive_of(runtime: Java) -> Path:
    """Return where the archive for a Java and the current jars is; it need not exist."""
    digest = hashlib.sha256(f"{runtime.home.resolve()} {runtime.banner}".encode())
    for jar in class_path():
        status = jar.stat()
        digest.update(f"{jar} {status.st_size} {status.st_mtime_ns}".encode())
    return ARCHIVES / f"spark-{digest.hexdigest()[:16]}.jsa"
