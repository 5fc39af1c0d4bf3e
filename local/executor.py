"""Airflow's local executor, which imports what tasks need before its workers are forked: a task starts in no time.

Great Expectations alone takes seconds to import, in every task anew. A DAG file imports none of this.
Contracts, rules and settings are not read by an import, so a task sees them as they are when it starts; a change of
Python code is seen once Airflow starts again.
"""

from importlib import import_module

from airflow.executors.local_executor import LocalExecutor

MODULES = (
    "airflow.sdk.execution_time.task_runner",
    "promptsales.load.steps",
    "promptsales.marts.build",
    "promptsales.quality.run",
)


class Executor(LocalExecutor):
    """A local executor that is warm."""

    def start(self) -> None:
        """Import, then fork the workers."""
        for name in MODULES:
            import_module(name)
        super().start()
