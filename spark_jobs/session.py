"""Start the Spark session of a build."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pyspark.sql import SparkSession

from promptsales.java import JARS, java

CONF = Path(__file__).parent / "conf"
# with a local master no other machine connects to the driver; workers of a cluster use its host name or SPARK_LOCAL_IP
_LOCAL = {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
# Spark generates the secret in the driver's memory. Only the workers of a standalone cluster (``spark://``) would need
# to be given it, and Spark has no way that leaves it out of command lines
_AUTHENTICATED = {
    "spark.authenticate": "true",
    "spark.network.crypto.enabled": "true",
    "spark.network.crypto.cipher": "AES/GCM/NoPadding",
    "spark.network.crypto.saslFallback": "false",
}


@contextmanager
def session(master: str, memory: str, partitions: int) -> Iterator[SparkSession]:
    """Start a session; stop it at the end of the block.

    Args:
        master: where Spark runs: ``local[2]``, or the URL of a cluster.
        memory: memory of the driver, and of each executor of a cluster.
        partitions: number of partitions of a shuffle.
    """
    os.environ["JAVA_HOME"] = str(java().home)
    os.environ["SPARK_CONF_DIR"] = str(CONF)
    network = {} if master.startswith("spark://") else dict(_AUTHENTICATED)
    if master.startswith("local"):
        network |= _LOCAL
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    driver = next(JARS.glob("jdbc/postgresql-*.jar"))
    with _without_our_settings():
        spark = (
            SparkSession.builder.master(master)
            .appName("promptsales marts")
            .config("spark.jars", str(driver))
            .config("spark.driver.memory", memory)
            .config("spark.executor.memory", memory)
            .config("spark.sql.shuffle.partitions", str(partitions))
            .config(map=network)
            .getOrCreate()
        )
    try:
        yield spark
    finally:
        spark.stop()


@contextmanager
def _without_our_settings() -> Iterator[None]:
    """Hide our variables from the driver that starts meanwhile: it needs none, and some hold passwords."""
    ours = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("PROMPTSALES_")}
    try:
        yield
    finally:
        os.environ.update(ours)
