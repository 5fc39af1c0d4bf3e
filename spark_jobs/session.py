"""The one Spark session of a run."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pyspark.sql import SparkSession

from promptsales.java import JARS, java

CONF = Path(__file__).parent / "conf"
# alone, the driver is called by nobody; the workers of a cluster call it by this machine's name, or SPARK_LOCAL_IP
_ALONE = {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}


@contextmanager
def session(master: str, memory: str, partitions: int) -> Iterator[SparkSession]:
    """A session, stopped at the end.

    Args:
        master: where Spark runs: ``local[2]``, or the URL of a cluster.
        memory: of the driver, and of each executor of a cluster.
        partitions: into how many parts a shuffle goes.
    """
    os.environ["JAVA_HOME"] = str(java().home)
    os.environ["SPARK_CONF_DIR"] = str(CONF)
    alone = _ALONE if master.startswith("local") else {}
    if alone:
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    driver = next(JARS.glob("jdbc/postgresql-*.jar"))
    built = (
        SparkSession.builder.master(master)
        .appName("promptsales marts")
        .config("spark.jars", str(driver))
        .config("spark.driver.memory", memory)
        .config("spark.executor.memory", memory)
        .config("spark.sql.shuffle.partitions", str(partitions))
        .config(map=alone)
        .getOrCreate()
    )
    try:
        yield built
    finally:
        built.stop()
