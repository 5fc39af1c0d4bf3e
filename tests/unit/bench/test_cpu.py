"""CPU time is added up by program."""

import subprocess
import sys
from pathlib import Path

from bench.cpu import Process, add_up, in_words

# a postmaster with a walsender and a backend; a scheduler whose task runs Spark; a process of somebody else
_PROCESSES = {
    10: Process(1, "postgres -D sources", 2.0),
    11: Process(10, "postgres: sources: walsender cdc promptsales START_REPLICATION", 0.5),
    12: Process(10, "postgres: sources: etl_reader promptcrm idle", 0.25),
    20: Process(1, "python -m airflow scheduler", 1.0),
    21: Process(20, "airflow worker", 4.0),
    22: Process(21, "java -cp jars org.apache.spark.deploy.SparkSubmit", 8.0),
    30: Process(1, "java kafka.Kafka", 16.0),
}


def test_descendants_count_with_their_program_except_those_with_a_name_of_their_own() -> None:
    assert add_up({10: "sources", 20: "airflow-scheduler"}, _PROCESSES) == {
        "sources": 2.25, "walsender": 0.5, "airflow-scheduler": 5.0, "spark": 8.0,
    }  # fmt: skip


def test_figures_that_are_zero_are_left_out() -> None:
    assert in_words({"kafka": 3.0, "redis": 0.001, "mongo": 0.0}, 2.0, 2) == "kafka 1.50"


def test_the_generator_is_this_process(tmp_path: Path) -> None:
    # no supervisor answers in an empty state folder, so nothing else is counted
    code = f"from pathlib import Path; from bench.cpu import Cores; print(*Cores(Path({str(tmp_path)!r})).used()[1])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["generator"]
