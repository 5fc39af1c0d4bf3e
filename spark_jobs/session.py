"""Start the Spark session of a build."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from pyspark.sql import SparkSession

from spark_jobs.driver import class_path, ensure_gateway

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
def session(master: str, memory: str, partitions: int, tier: int = 1) -> Iterator[SparkSession]:
    """Start a session; stop it at the end of the block.

    Args:
        master: where Spark runs: ``local[2]``, or the URL of a cluster.
        memory: memory of the driver, and of each executor of a cluster.
        partitions: number of partitions of a shuffle.
        tier: the last of Java's compiler tiers that the driver uses.

    Raises:
        TerminalError: when Java does not start.
    """
    options = _options(master, memory, partitions)
    ensure_gateway(options, memory, tier)
    spark = SparkSession.builder.config(map=options).getOrCreate()
    try:
        yield spark
    finally:
        spark.stop()


def _options(master: str, memory: str, partitions: int) -> dict[str, str]:
    options = {
        "spark.master": master,
        "spark.app.name": "promptsales marts",
        "spark.driver.memory": memory,
        "spark.executor.memory": memory,
        "spark.sql.shuffle.partitions": str(partitions),
    }
    if not master.startswith("spark://"):
        options |= _AUTHENTICATED
    if master.startswith("local"):
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
        return options | _LOCAL
    # makes the driver serve the file to the workers of a cluster, and to anybody who asks
    return options | {"spark.jars": str(class_path()[0])}
