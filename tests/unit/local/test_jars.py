"""The lock of the jars, the check of downloaded files, and the messages of failed downloads."""

import hashlib
from pathlib import Path
from xml.etree import ElementTree

import pytest

from local import jars

SHA = hashlib.sha256(b"a jar").hexdigest()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(jars, "JARS", tmp_path)
    monkeypatch.setattr(jars, "VENV", tmp_path)
    (tmp_path / "kafka").mkdir()
    return tmp_path


def test_lock_is_read() -> None:
    text = f"# a comment\n{SHA}  kafka/re2j-1.8.jar  com.google.re2j:re2j:1.8\n\n"
    assert jars.read_lock(text) == [jars.Jar(SHA, "kafka/re2j-1.8.jar", "com.google.re2j:re2j:1.8")]


@pytest.mark.parametrize("line", ["abc kafka/a.jar g:a:1", f"{SHA} kafka/a.jar", f"{SHA} kafka/a.jar a:1"])
def test_broken_lock_line_is_named(line: str) -> None:
    with pytest.raises(jars.JarsError, match=r"jars\.lock line 2"):
        jars.read_lock(f"\n{line}")


def test_our_lock_names_each_file_once() -> None:
    paths = [jar.path for jar in jars.read_lock(jars.LOCK.read_text())]
    assert len(set(paths)) == len(paths)
    assert {path.split("/")[0] for path in paths} == {"kafka", "debezium", "jdbc"}


def test_dependency_of_a_jar() -> None:
    element = jars.dependency(jars.Jar(SHA, "kafka/re2j-1.8.jar", "com.google.re2j:re2j:1.8"))
    assert ElementTree.tostring(element, encoding="unicode") == (
        '<dependency org="com.google.re2j" name="re2j" rev="1.8" conf="kafka-&gt;*" transitive="false">'
        '<artifact name="re2j" type="jar" ext="jar" /></dependency>'
    )


def test_dependency_with_classifier() -> None:
    plugin = jars.Jar(SHA, "debezium/connector-3.6.1.Final-plugin.tar.gz", "io.debezium:connector:3.6.1.Final")
    artifact = jars.dependency(plugin)[0]
    assert {key.rpartition("}")[2]: value for key, value in artifact.items()} == {
        "name": "connector", "type": "tar.gz", "ext": "tar.gz", "classifier": "plugin",
    }  # fmt: skip


def test_complete_folder_needs_no_network_and_loses_strays(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jars, "PROCESSES", 0)  # a download would fail
    (folder / "kafka" / "a-1.jar").write_bytes(b"a jar")
    (folder / "kafka" / "a-0.jar").write_bytes(b"an older lock's")
    jars.fetch([jars.Jar(SHA, "kafka/a-1.jar", "g:a:1")])
    assert [path.name for path in (folder / "kafka").iterdir()] == ["a-1.jar"]


def test_wrong_file_is_named_with_both_checksums(folder: Path) -> None:
    (folder / "kafka" / "a-1.jar").write_bytes(b"another jar")
    message = jars.describe_failure([jars.Jar(SHA, "kafka/a-1.jar", "g:a:1")], 93, "")
    assert message.startswith(f"kafka/a-1.jar has sha256 {hashlib.sha256(b'another jar').hexdigest()}")
    assert SHA in message


def test_missing_file_asks_for_the_network(folder: Path) -> None:
    message = jars.describe_failure([jars.Jar(SHA, "kafka/a-1.jar", "g:a:1")], 93, "host not found")
    assert message == "1 of 93 jars could not be fetched (host not found); is there a network?"
