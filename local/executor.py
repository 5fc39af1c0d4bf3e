"""Airflow's local executor with warm workers: it imports what tasks need before it forks, so that they start at once.

Great Expectations alone takes seconds to import, which every task would pay. DAG files import none of this.
Importing reads no contract, rule or setting, so a task still sees them as they are when it starts. Changed Python code
takes effect when Airflow restarts.
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
    """A local executor whose workers have imported what tasks need."""

    def start(self) -> None:
        """Import the modules, then fork the workers."""
        for name in MODULES:
            import_module(name)
        super().start()
