"""The first task of a DAG whose runs replay no window: fail once when a run was triggered with a key nobody reads."""

from airflow.sdk import DAG, get_current_context, setup, task

from promptsales.orchestration.window import refuse_unknown_keys


def check_conf_first(dag: DAG, *known: str) -> None:
    """Add a task to a DAG that runs before all others, and stops them when the run's configuration has other keys."""
    roots = list(dag.roots)
    conf(list(known)) >> roots


# a setup task: when it fails, no other task runs, whatever its trigger rule
@setup
@task
def conf(known: list[str]) -> None:
    """Fail when the run's configuration has keys that are not known."""
    refuse_unknown_keys(get_current_context()["dag_run"].conf, known)
