"""The one Spark session of a run."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pyspark.sql import SparkSession

from local.jars import FOLDER
from local.java import java

CONF = Path(__file__).parent / "conf"


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
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    driver = next(FOLDER.glob("jdbc/postgresql-*.jar"))
    built = (
        SparkSession.builder.master(master)
        .appName("promptsales marts")
        .config("spark.jars", str(driver))
        .config("spark.driver.memory", memory)
        .config("spark.executor.memory", memory)
        .config("spark.sql.shuffle.partitions", str(partitions))
        .getOrCreate()
    )
    try:
        yield built
    finally:
        built.stop()
