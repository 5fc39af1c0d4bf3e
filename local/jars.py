"""Download Kafka, Connect, Debezium and the JDBC driver with the Ivy inside PySpark; run as ``python -m local.jars``.

With ``--write-lock`` it first resolves ``jars.xml`` into ``jars.lock``.
``jars.lock`` names every file with its sha256 and module. Ivy gets those modules one by one, with nothing left to
resolve, in a few processes at once: that takes seconds, a resolution takes a minute. Standard library only.
"""

import hashlib
import shutil
import subprocess
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree as Xml

from promptsales.java import JARS, VENV, java

HERE = Path(__file__).resolve().parent
LOCK, MODULES = HERE / "jars.lock", HERE / "jars.xml"
PLUGINS = JARS / "plugins"
PROCESSES, ATTEMPTS, TIMEOUT_S = 4, 2, 300
_MAVEN = "http://ant.apache.org/ivy/maven"
# no host is named: Ivy's default is Maven Central
_RESOLVE = '<ibiblio name="central" m2compatible="true" checksums="sha1"/>'
_FETCH = '<ibiblio name="central" m2compatible="true" usepoms="false" useMavenMetadata="false" checksums=""/>'


class JarsError(Exception):
    """The jars cannot be downloaded or the lock is not valid; the message is one line."""


@dataclass(frozen=True)
class Jar:
    """A line of the lock: ``path`` is ``configuration/file``, ``module`` is ``organisation:name:revision``."""

    sha256: str
    path: str
    module: str

    @property
    def is_complete(self) -> bool:
        """Whether the file exists and has the checksum of the lock."""
        return (JARS / self.path).is_file() and _sha256(JARS / self.path) == self.sha256


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_lock(text: str) -> list[Jar]:
    """Return the jars that a lock file lists; ``#`` starts a comment.

    Raises:
        JarsError: when a line is not ``sha256 path module``.
    """
    jars = []
    for number, line in enumerate(text.splitlines(), 1):
        fields = line.split("#")[0].split()
        if fields and (len(fields) != 3 or len(fields[0]) != 64 or fields[2].count(":") != 2):
            raise JarsError(f"local/jars.lock line {number} is not `sha256  path  organisation:name:revision`")
        if fields:
            jars.append(Jar(*fields))
    return jars


def dependency(jar: Jar) -> Xml.Element:
    """Return the Ivy dependency that fetches this file and nothing else."""
    organisation, name, revision = jar.module.split(":")
    conf, file = jar.path.split("/")
    rest = file.removeprefix(f"{name}-{revision}")
    classifier, _, extension = rest.partition(".")
    element = Xml.Element(
        "dependency", org=organisation, name=name, rev=revision, conf=f"{conf}->*", transitive="false"
    )
    artifact = Xml.SubElement(element, "artifact", name=name, type=extension, ext=extension)
    if classifier:
        artifact.set(f"{{{_MAVEN}}}classifier", classifier.removeprefix("-"))
    return element


def _ivy_module(jars: list[Jar]) -> str:
    root = Xml.Element("ivy-module", version="2.0")
    Xml.SubElement(root, "info", organisation="promptsales", module="jars")
    confs = Xml.SubElement(root, "configurations")
    for conf in sorted({jar.path.split("/")[0] for jar in jars}):
        Xml.SubElement(confs, "conf", name=conf)
    Xml.SubElement(root, "dependencies").extend(dependency(jar) for jar in jars)
    return Xml.tostring(root, encoding="unicode")


def _run_ivy(home: Path, module: str, resolver: str, pattern: str) -> str:
    """Run Ivy once, with its cache in ``home``; return its first error line, or an empty string."""
    home.mkdir(parents=True)
    (home / "ivy.xml").write_text(module)
    (home / "settings.xml").write_text(
        f'<ivysettings><settings defaultResolver="central"/><resolvers>{resolver}</resolvers></ivysettings>'
    )
    program = next(Path(sysconfig.get_path("purelib")).glob("pyspark/jars/ivy-*.jar"))
    command = [
        java().command,
        "-XX:TieredStopAtLevel=1",
        "-XX:+UseSerialGC",
        f"-Divy.home={home}",
        "-jar",
        str(program),
    ]
    command += ["-settings", str(home / "settings.xml"), "-ivy", str(home / "ivy.xml"), "-retrieve", pattern]
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        return f"no answer within {TIMEOUT_S} s"
    lines = [line.strip(" :\t") for line in (result.stdout + result.stderr).splitlines()]
    errors = [line for line in lines if "error" in line.lower() or "not found" in line or "Exception" in line]
    return (errors or ["ivy ended with an error"])[0] if result.returncode else ""


def _download(jars: list[Jar], home: Path) -> str:
    """Download the jars, a share per process; return the first error line, or an empty string."""
    pattern = f"{JARS}/[conf]/[artifact]-[revision](-[classifier]).[ext]"
    shares = [share for n in range(PROCESSES) if (share := jars[n::PROCESSES])]
    with ThreadPoolExecutor(PROCESSES) as pool:
        work = [
            pool.submit(_run_ivy, home / str(n), _ivy_module(share), _FETCH, pattern) for n, share in enumerate(shares)
        ]
    return next((error for job in work if (error := job.result())), "")


def _remove_strays(jars: list[Jar]) -> None:
    """Delete files that the lock does not list: they would be on the class path too."""
    known = {JARS / jar.path for jar in jars}
    for conf in {path.parent for path in known}:
        for path in set(conf.glob("*")) - known:
            path.unlink()


def fetch(jars: list[Jar]) -> None:
    """Download the files of the lock that are missing or incomplete, and delete files that it does not list.

    Raises:
        JarsError: when a file cannot be downloaded, or has another checksum than the lock says.
    """
    _remove_strays(jars)
    missing = [jar for jar in jars if not jar.is_complete]
    error = ""
    for _ in range(ATTEMPTS if missing else 0):
        for jar in missing:
            (JARS / jar.path).unlink(missing_ok=True)
        with TemporaryDirectory(prefix=".ivy", dir=VENV) as home:
            error = _download(missing, Path(home))
        missing = [jar for jar in missing if not jar.is_complete]
        if not missing:
            return
    if missing:
        raise JarsError(describe_failure(missing, len(jars), error))


def describe_failure(missing: list[Jar], total: int, error: str) -> str:
    """Return the message for a download that failed, as one line."""
    for jar in missing:
        path = JARS / jar.path
        if path.exists():
            return f"{jar.path} has sha256 {_sha256(path)}, local/jars.lock says {jar.sha256}: not used"
    return f"{len(missing)} of {total} jars could not be fetched ({error or missing[0].module}); is there a network?"


def unpack(jars: list[Jar]) -> None:
    """Unpack the connector plugins into ``plugins/`` in one step, unless the same archives are already unpacked."""
    archives = [jar for jar in jars if jar.path.endswith(".tar.gz")]
    checksums = "\n".join(jar.sha256 for jar in archives)
    stamp = PLUGINS / ".unpacked"
    if stamp.exists() and stamp.read_text() == checksums:
        return
    draft = JARS / ".plugins"
    shutil.rmtree(draft, ignore_errors=True)
    for jar in archives:
        shutil.unpack_archive(JARS / jar.path, draft)
    (draft / stamp.name).write_text(checksums)
    shutil.rmtree(PLUGINS, ignore_errors=True)
    draft.replace(PLUGINS)


def write_lock() -> None:
    """Resolve ``jars.xml`` and write the result into the lock.

    Raises:
        JarsError: when Ivy cannot resolve it.
    """
    with TemporaryDirectory(prefix=".ivy", dir=VENV) as folder:
        out = Path(folder) / "out"
        pattern = f"{out}/[conf]/[organisation]/[module]/[revision]/[artifact]-[revision](-[classifier]).[ext]"
        error = _run_ivy(Path(folder) / "home", MODULES.read_text(), _RESOLVE, pattern)
        if error:
            raise JarsError(f"local/jars.xml cannot be resolved: {error}")
        lines = [_lock_line(path, out) for path in out.rglob("*.*") if path.is_file()]
        LOCK.write_text("".join(sorted(lines, key=lambda line: line.split()[1])))


def _lock_line(path: Path, out: Path) -> str:
    conf, organisation, name, revision, file = path.relative_to(out).parts
    return f"{_sha256(path)}  {conf}/{file}  {organisation}:{name}:{revision}\n"


def main(arguments: list[str]) -> int:
    """Download, verify and unpack the jars, and return the exit code; ``--write-lock`` resolves the lock first."""
    try:
        if arguments == ["--write-lock"]:
            write_lock()
        jars = read_lock(LOCK.read_text())
        fetch(jars)
        unpack(jars)
    except (JarsError, OSError) as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
