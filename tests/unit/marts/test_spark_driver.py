"""The options of Spark's JVM, and the file of its class data archive."""

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from promptsales.java import java
from spark_jobs import driver


def launched() -> list[str]:
    """Return the options that Spark's own launcher gives the driver's JVM."""
    command = [java().command, "-cp", f"{driver.HOME / 'jars'}/*", "org.apache.spark.launcher.Main"]
    environment = {
        **os.environ,
        "SPARK_HOME": str(driver.HOME),
        "JAVA_HOME": str(java().home),
        "SPARK_SCALA_VERSION": "2",
    }
    output = subprocess.run(
        [*command, "org.apache.spark.deploy.SparkSubmit", "pyspark-shell"],
        env=environment, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    words = output.split("\0")
    return words[words.index("-cp") + 2 : words.index("org.apache.spark.deploy.SparkSubmit")]


def test_java_gets_the_options_of_sparks_launcher() -> None:
    text = (driver.CONF / "java.options").read_text(encoding="utf-8")
    ours = [line for line in text.splitlines() if not line.startswith("#")]
    theirs = [word for word in launched() if not word.startswith(("-Xmx", "--add-modules"))]
    assert [word for word in ours if word in theirs] == theirs


def test_an_archive_belongs_to_one_java_and_one_class_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here, jar = java(), tmp_path / "a.jar"
    jar.write_text("one")
    monkeypatch.setattr(driver, "class_path", lambda: [jar])
    before = driver.archive_of(here)
    assert driver.archive_of(here) == before
    assert driver.archive_of(replace(here, banner="another")) != before
    os.utime(jar, (1, 1))
    assert driver.archive_of(here) != before


def test_the_archives_folder_exists_whatever_java_runs() -> None:
    # Spark's first JVM keeps an archive only where it can write; a Java of the machine's leaves no folder of its own
    assert driver.ARCHIVES.is_dir()
